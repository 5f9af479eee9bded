import { setTimeout as sleep } from 'node:timers/promises';
import { startEngine } from './engine.ts';
import type { Bench, Figure } from './figure.ts';
import { type LoadOptions, measure } from './generator.ts';
import { KB_PER_MB, residentMb } from './memory.ts';

/** Resident memory while clients do not read, or do not finish their opening, and after they have gone. */

const MANY = 1000;
/** As the daemon sets it for so many connections. */
const COVER_CONNECTIONS = 128;

export const PRESSURE_NAMES = [
  'slow_reader_kb',
  'slow_readers_1000_kb',
  'half_open_1000_kb',
  'after_pressure_mb',
] as const;
/** Until a load holds all that it can; and until what it held is free again. */
const HOLD_SECONDS = 5;
const GONE_MS = 3000;

/** Everything has been compiled and touched once, so that it does not count as growth. */
const WARM_UP: [load: string, options: LoadOptions][] = [
  ['setup', { connections: 32, seconds: 0.5 }],
  ['download', { connections: 4, seconds: 1 }],
];

export async function runPressure(bench: Bench): Promise<void> {
  if (!PRESSURE_NAMES.some((name) => bench.wants(name))) return;
  const { entry, site, generator } = bench;
  const engine = await startEngine(entry, site, { workers: 2, cores: null, coverConnections: COVER_CONNECTIONS });
  const load = async (name: string, connections: number): Promise<number> => {
    const before = await residentMb(engine.pid);
    const options = { connections, seconds: HOLD_SECONDS, 'warm-up': 0 };
    const { rss_kb, errors } = await measure(generator, name, engine.target, options);
    if (errors > 0) throw new Error(`${name}: ${errors} connections were ended`);
    await sleep(GONE_MS);
    return (rss_kb - before * KB_PER_MB) / connections;
  };
  const tell = (
    name: (typeof PRESSURE_NAMES)[number],
    about: Pick<Figure, 'title' | 'value' | 'unit' | 'goal' | 'raw'>,
  ): void => {
    const { value } = about;
    if (bench.wants(name)) bench.tell({ name, ...about, spread: [value, value], better: 'lower' });
  };
  try {
    for (const [name, options] of WARM_UP) await measure(generator, name, engine.target, options);
    const base = await residentMb(engine.pid);
    const halfOpen = await load('halfopen', MANY);
    const slow = await load('slow', 1);
    const slowMany = await load('slow', MANY);
    const after = await residentMb(engine.pid);
    const raw = { base_mb: base };
    tell('slow_reader_kb', {
      title: 'memory for a client that does not read',
      value: slow,
      unit: 'KB',
      goal: 1024,
      raw,
    });
    tell('slow_readers_1000_kb', {
      ...{ title: 'the same, each of 1,000', value: slowMany, unit: 'KB', goal: 266 },
      raw: { ...raw, connections: MANY },
    });
    tell('half_open_1000_kb', {
      ...{ title: 'memory for half a hello, each of 1,000', value: halfOpen, unit: 'KB', goal: 30 },
      raw: { ...raw, connections: MANY, cover_connections_cap: COVER_CONNECTIONS },
    });
    tell('after_pressure_mb', {
      ...{ title: 'memory left over when they have gone', value: after - base, unit: 'MB', goal: 50 },
      raw: { ...raw, after_mb: after },
    });
  } finally {
    await engine.stop();
  }
}

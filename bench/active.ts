import { setTimeout as sleep } from 'node:timers/promises';
import { startRelay } from './baseline.ts';
import { startEngine } from './engine.ts';
import type { Bench } from './figure.ts';
import { type Measurement, measure } from './generator.ts';
import { KEYS_MS } from './openings.ts';
import type { Running } from './site.ts';

/** What it costs that a tenth of many sessions speaks ten times a second. */

/** As many as one generator can hold open within 20,000 descriptors. */
const CONNECTIONS = 9500;
const ACTIVE = 0.1;
/** Messages a second of every active session. */
const RATE = 10;
const SECONDS = 10;

export const ACTIVE_NAMES = ['active_9500_cpu', 'active_9500_p50_ms', 'active_9500_p99_ms'] as const;

/** Drive `connections` sessions of which a tenth is active. */
export async function measureActive({ generator }: Bench, proxy: Running, connections: number): Promise<Measurement> {
  const rate = connections * ACTIVE * RATE;
  return measure(generator, 'idle', proxy.target, { connections, active: ACTIVE, rate, seconds: SECONDS });
}

/** CPU seconds a second. */
export const cpuShare = ({ proxy_cpu_seconds, seconds }: Measurement): number => proxy_cpu_seconds / seconds;

export async function runActive(bench: Bench): Promise<void> {
  if (!ACTIVE_NAMES.some((name) => bench.wants(name))) return;
  const run = async (proxy: Running): Promise<Measurement> =>
    measureActive(bench, proxy, CONNECTIONS).finally(async () => proxy.stop());
  const theirs = await run(await startRelay(bench.programs.relay, bench.site, { fast: true }));
  const engine = await startEngine(bench.entry, bench.site, { fast: true });
  await sleep(KEYS_MS);
  const ours = await run(engine);
  const tell = (
    name: (typeof ACTIVE_NAMES)[number],
    title: string,
    unit: 'share' | 'ms',
    goal: number,
    of: (run: Measurement) => number,
  ): void => {
    if (!bench.wants(name)) return;
    const value = of(ours);
    const raw = { c: of(theirs), connections: CONNECTIONS, messages_per_second: ours.ops / ours.seconds };
    bench.tell({ name, title, value, spread: [value, value], unit, goal, better: 'lower', raw });
  };
  tell('active_9500_cpu', 'core used by 950 of 9,500 sessions at 10/s', 'share', 0.6, cpuShare);
  tell('active_9500_p50_ms', 'p50 of those messages', 'ms', 1, ({ p50_us }) => p50_us / 1000);
  tell('active_9500_p99_ms', 'p99 of those messages', 'ms', 10, ({ p99_us }) => p99_us / 1000);
}

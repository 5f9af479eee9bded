import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRelay } from './baseline.ts';
import { startEngine } from './engine.ts';
import type { Bench } from './figure.ts';
import { type Measurement, measure } from './generator.ts';

/** Resident memory of the engine with two workers: with nothing to do, and for every session that rests. */

/** As many as one generator can hold open within 20,000 descriptors. */
const CONNECTIONS = 9500;
const SETTLE_MS = 2000;
/** The engine looks at an open session every 30 s, and drops its ciphers when it was idle for so long. */
export const REST_SECONDS = 66;
const WARM_SECONDS = 3;
export const KB_PER_MB = 1024;

export async function runMemory(bench: Bench): Promise<void> {
  if (!bench.wants('base_mb') && !bench.wants('idle_kb_per_connection')) return;
  const connections = CONNECTIONS;
  const seconds = bench.wants('idle_kb_per_connection') ? REST_SECONDS : 0;
  const engine = await startEngine(bench.entry, bench.site, { workers: 2, cores: null });
  let base: number;
  let run: Measurement;
  try {
    await sleep(SETTLE_MS);
    base = await residentMb(engine.pid);
    // Compiled code grows the base too: the difference is told beside the figure.
    await measure(bench.generator, 'setup', engine.target, { connections: 32, seconds: WARM_SECONDS });
    run = await measure(bench.generator, 'idle', engine.target, { connections, seconds });
  } finally {
    await engine.stop();
  }
  const each = (run.rss_kb - base * KB_PER_MB) / connections;
  const common = { better: 'lower' } as const;
  if (bench.wants('base_mb')) {
    bench.tell({
      ...common,
      name: 'base_mb',
      title: 'memory with two idle workers',
      value: base,
      spread: [base, base],
      unit: 'MB',
      goal: 60,
      raw: {},
    });
  }
  if (!bench.wants('idle_kb_per_connection')) return;
  const raw = {
    connections,
    rss_mb: run.rss_kb / KB_PER_MB,
    over_warm_kb: (run.rss_kb - run.rss_before_kb) / connections,
    c: await relayMemory(bench, connections),
  };
  bench.tell({
    ...common,
    name: 'idle_kb_per_connection',
    title: 'memory of an idle session',
    value: each,
    spread: [each, each],
    unit: 'KB',
    goal: 10,
    raw,
  });
}

export async function residentMb(pid: number): Promise<number> {
  const [, kb] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kb) / KB_PER_MB;
}

/** KB that the relay in C needs for a session. */
async function relayMemory({ programs, site, generator }: Bench, connections: number): Promise<number> {
  const relay = await startRelay(programs.relay, site);
  const run = await measure(generator, 'idle', relay.target, { connections, seconds: 1 });
  await relay.stop();
  return (run.rss_kb - run.rss_before_kb) / connections;
}

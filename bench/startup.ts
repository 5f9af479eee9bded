import net from 'node:net';
import { startEngine } from './engine.ts';
import type { Bench } from './figure.ts';
import type { Endpoint } from './generator.ts';
import { median, spread } from './statistics.ts';

/** From the start of the engine's process to its first accepted connection. */

const RUNS = 5;

export async function runStartup(bench: Bench): Promise<void> {
  if (!bench.wants('startup_ms')) return;
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const from = performance.now();
    const engine = await startEngine(bench.entry, bench.site, { cores: null });
    await connect(engine.target.at);
    times.push(performance.now() - from);
    await engine.stop();
  }
  bench.tell({
    name: 'startup_ms',
    title: 'start to first accepted connection',
    value: median(times),
    spread: spread(times),
    unit: 'ms',
    goal: 400,
    better: 'lower',
    raw: { runs: RUNS },
  });
}

async function connect({ host, port }: Endpoint): Promise<void> {
  const socket = net.connect({ host, port });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.destroy();
}

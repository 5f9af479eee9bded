import { startEngine } from './engine.ts';
import type { Bench } from './figure.ts';
import { type Measurement, measure } from './generator.ts';
import { median, spread } from './statistics.ts';

/**
 * What a second worker brings. Engine and generator share both cores, so the generator takes part of what the second worker
 * could use; the speed-up is taken per core that the generator left: (messages/s of two / of one) * 2 / (2 - cores of the
 * generator). Workers that wait for each other, or of which one stays idle, show as less than 2.
 */

const CORES = '0,1';
const OPTIONS = { connections: 400, size: 100 };

export async function runWorkers(bench: Bench): Promise<void> {
  if (!bench.wants('two_workers')) return;
  const generator = { ...bench.generator, cores: CORES };
  const engines = [];
  for (const workers of [1, 2])
    engines.push(await startEngine(bench.entry, bench.site, { workers, cores: CORES, fast: false }));
  const runs: [Measurement, Measurement][] = [];
  try {
    const [one, two] = engines;
    if (one === undefined || two === undefined) return;
    for (let pair = 0; pair < bench.pairs; pair++) {
      const single = await measure(generator, 'pingpong', one.target, OPTIONS);
      runs.push([single, await measure(generator, 'pingpong', two.target, OPTIONS)]);
    }
  } finally {
    for (const engine of engines) await engine.stop();
  }
  const values = runs.map(([one, two]) => (rate(two) / rate(one)) * (2 / (2 - generatorCores(two))));
  bench.tell({
    name: 'two_workers',
    title: 'messages/s with two workers, per core left',
    value: median(values),
    spread: spread(values),
    unit: 'x',
    goal: 1.8,
    better: 'higher',
    rejected: 0,
    raw: {
      one_worker: median(runs.map(([one]) => rate(one))),
      two_workers: median(runs.map(([, two]) => rate(two))),
      plain_ratio: median(runs.map(([one, two]) => rate(two) / rate(one))),
      generator_cores: median(runs.map(([, two]) => generatorCores(two))),
    },
  });
}

const rate = ({ ops, seconds }: Measurement): number => ops / seconds;
const generatorCores = ({ generator_cpu_seconds, seconds }: Measurement): number => generator_cpu_seconds / seconds;

import { startEngine } from './engine.ts';
import type { Bench } from './figure.ts';
import { collectPairs } from './compare.ts';
import { type Measurement, measure } from './generator.ts';
import type { Running } from './site.ts';
import { median, spread } from './statistics.ts';

/**
 * What a second worker brings. Engine and generator share both cores, so part of what the second worker could use is not
 * there: messages/s are taken per core that was left, which is two, or one for one worker, less what the generator and the
 * rest of the machine used. Workers that wait for each other, or of which one stays idle, show as less than 2.
 */

const OPTIONS = { connections: 400, size: 100 };

export async function runWorkers(bench: Bench): Promise<void> {
  if (!bench.wants('two_workers')) return;
  const cores = [bench.site.proxyCores, bench.site.generatorCores].join(',');
  const generator = { ...bench.generator, cores };
  const one = await startEngine(bench.entry, bench.site, { workers: 1, cores, fast: false });
  const two = await startEngine(bench.entry, bench.site, { workers: 2, cores, fast: false });
  const run = async ({ target }: Running): Promise<Measurement> => measure(generator, 'pingpong', target, OPTIONS);
  const { kept: runs, rejected } = await collectPairs(
    bench.pairs,
    async () => [await run(one), await run(two)] as const,
    (pair) => [...pair],
  ).finally(async () => Promise.all([one.stop(), two.stop()]));
  const values = runs.map(([one, two]) => (2 * perCore(two, 2)) / perCore(one, 1));
  bench.tell({
    name: 'two_workers',
    title: 'messages/s with two workers, per core left',
    value: median(values),
    spread: spread(values),
    unit: 'x',
    goal: 1.8,
    better: 'higher',
    rejected,
    raw: {
      one_worker: median(runs.map(([one]) => rate(one))),
      two_workers: median(runs.map(([, two]) => rate(two))),
      plain_ratio: median(runs.map(([one, two]) => rate(two) / rate(one))),
      generator_cores: median(runs.map(([, two]) => generatorCores(two))),
    },
  });
}

/** Messages a second per core that the engine could have had, of at most `workers`. */
function perCore(run: Measurement, workers: number): number {
  const { seconds, busy_seconds, steal_seconds, proxy_cpu_seconds } = run;
  const elsewhere = (busy_seconds + steal_seconds - proxy_cpu_seconds) / seconds;
  return rate(run) / Math.min(workers, 2 - elsewhere);
}

const rate = ({ ops, seconds }: Measurement): number => ops / seconds;
const generatorCores = ({ generator_cpu_seconds, seconds }: Measurement): number => generator_cpu_seconds / seconds;

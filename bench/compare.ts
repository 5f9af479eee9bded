import { type Generator, type LoadOptions, type Measurement, measure, type Target } from './generator.ts';
import { median, spread } from './statistics.ts';

/** Two proxies under the same load, in turn: A B A B. Ratios are made within a pair and never between runs of the tool. */

/** What is compared: work per CPU second of the proxy, or a percentile of latency in us. */
export type Metric = 'bytes' | 'ops' | 'p99';

export interface Job {
  load: string;
  options: LoadOptions;
  metric: Metric;
}

export interface Comparison {
  ratio: number;
  spread: [number, number];
  /** Medians of the metric itself. */
  ours: number;
  theirs: number;
  /** Runs that were disturbed and repeated. */
  rejected: number;
  /** Generator CPU seconds per wall second, median. */
  generatorLoad: number;
}

/** Share of the measured time that the hypervisor may take before a run counts as disturbed. */
const STEAL_SHARE = 0.02;
/** Times a second that the proxy may be taken off its core. */
const PREEMPTIONS = 100;
/** Repetitions for every run that was asked for. */
const REPEATS = 2;

export function isDisturbed({ seconds, steal_seconds, proxy_preempted }: Measurement): boolean {
  return steal_seconds > STEAL_SHARE * seconds || proxy_preempted > PREEMPTIONS * seconds;
}

export function valueOf(metric: Metric, run: Measurement): number {
  if (metric === 'p99') return run.p99_us;
  return (metric === 'bytes' ? run.bytes : run.ops) / run.proxy_cpu_seconds;
}

export async function compare(
  generator: Generator,
  job: Job,
  ours: Target,
  theirs: Target,
  pairs: number,
): Promise<Comparison> {
  const kept: { ours: Measurement; theirs: Measurement }[] = [];
  const disturbed: typeof kept = [];
  while (kept.length < pairs && kept.length + disturbed.length < pairs * (1 + REPEATS)) {
    const pair = {
      theirs: await measure(generator, job.load, theirs, job.options),
      ours: await measure(generator, job.load, ours, job.options),
    };
    (isDisturbed(pair.ours) || isDisturbed(pair.theirs) ? disturbed : kept).push(pair);
  }
  // A machine that is never quiet still gives a figure; the number of rejected runs tells what it is worth.
  const used = kept.length > 0 ? kept : disturbed;
  const value = (run: Measurement): number => valueOf(job.metric, run);
  const ratios = used.map((pair) => value(pair.ours) / value(pair.theirs));
  return {
    ratio: median(ratios),
    spread: spread(ratios),
    ours: median(used.map((pair) => value(pair.ours))),
    theirs: median(used.map((pair) => value(pair.theirs))),
    rejected: disturbed.length,
    generatorLoad: median(used.map((pair) => pair.ours.generator_cpu_seconds / pair.ours.seconds)),
  };
}

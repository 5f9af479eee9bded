import { type Generator, type LoadOptions, type Measurement, measure, type Target } from './generator.ts';
import { median, spread } from './statistics.ts';

/** Two proxies under the same load, in turn: A B A B. Ratios are made within a pair and never between runs of the tool. */

/** Work per CPU second of the proxy, or a percentile of latency in us. */
export type Metric = 'bytes' | 'ops' | 'p99';

export interface Job {
  load: string;
  options: LoadOptions;
}

export interface Pair {
  ours: Measurement;
  theirs: Measurement;
}

export interface Pairs {
  kept: Pair[];
  /** Pairs that were disturbed and repeated. */
  rejected: number;
}

/** Share of the measured time that the hypervisor may take before a run counts as disturbed. */
const STEAL_SHARE = 0.02;
/** Times a second that the proxy may be taken off its core. */
const PREEMPTIONS = 100;
/** Disturbed pairs that are repeated, for every one that was asked for. */
const REPEATS = 1;

function isDisturbed({ seconds, steal_seconds, proxy_preempted }: Measurement): boolean {
  return steal_seconds > STEAL_SHARE * seconds || proxy_preempted > PREEMPTIONS * seconds;
}

/** Run `count` pairs. A machine that is never quiet still gives figures; the number of rejected pairs tells what for. */
export async function runPairs(
  generator: Generator,
  { load, options }: Job,
  ours: Target,
  theirs: Target,
  count: number,
): Promise<Pairs> {
  const quiet: Pair[] = [];
  const disturbed: Pair[] = [];
  while (quiet.length < count && quiet.length + disturbed.length < count * (1 + REPEATS)) {
    const pair = {
      theirs: await measure(generator, load, theirs, options),
      ours: await measure(generator, load, ours, options),
    };
    (isDisturbed(pair.ours) || isDisturbed(pair.theirs) ? disturbed : quiet).push(pair);
  }
  return { kept: [...quiet, ...disturbed].slice(0, count), rejected: disturbed.length };
}

export function valueOf(metric: Metric, run: Measurement): number {
  if (metric === 'p99') return run.p99_us;
  return (metric === 'bytes' ? run.bytes : run.ops) / run.proxy_cpu_seconds;
}

export interface Compared {
  ratio: number;
  spread: [number, number];
  /** Medians of the metric itself. */
  ours: number;
  theirs: number;
  oursSpread: [number, number];
}

export function compareBy(metric: Metric, pairs: readonly Pair[]): Compared {
  const ours = pairs.map((pair) => valueOf(metric, pair.ours));
  const theirs = pairs.map((pair) => valueOf(metric, pair.theirs));
  const ratios = ours.map((value, at) => value / (theirs[at] ?? Number.NaN));
  return {
    ratio: median(ratios),
    spread: spread(ratios),
    ours: median(ours),
    theirs: median(theirs),
    oursSpread: spread(ours),
  };
}

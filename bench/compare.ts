import { setTimeout } from 'node:timers/promises';
import { type Generator, type LoadOptions, type Measurement, measure, type Target } from './generator.ts';
import { median, spread } from './statistics.ts';

/** Two proxies under the same load, in turn: A B A B. Ratios are made within a pair and never between runs of the tool. */

/** Work per CPU second of the proxy, or a percentile of latency in us. */
export type Metric = 'bytes' | 'ops' | 'p99';

export interface Job {
  load: string;
  options: LoadOptions;
  /** Pause before each run of ours, in which it makes ahead what it makes when it is idle. */
  restMs?: number;
  /** Runs of ours that do not count (1). */
  warmUps?: number;
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

/** CPU seconds a second that may go to other virtual machines, or to other processes, before a run counts as disturbed. */
const STEAL = 0.02;
const FOREIGN = 0.1;
/** Disturbed pairs that are repeated, for every one that was asked for. */
const REPEATS = 1;

function isDisturbed(run: Measurement): boolean {
  const { seconds, steal_seconds, busy_seconds, proxy_cpu_seconds, generator_cpu_seconds } = run;
  // Of a proxy without a PID it is not known what is its own.
  const foreign = proxy_cpu_seconds === 0 ? 0 : busy_seconds - proxy_cpu_seconds - generator_cpu_seconds;
  return steal_seconds > STEAL * seconds || foreign > FOREIGN * seconds;
}

/** Collect undisturbed pairs; when there are too few, disturbed ones fill up. */
export async function collectPairs<Pair>(
  count: number,
  make: () => Promise<Pair>,
  runsOf: (pair: Pair) => Measurement[],
): Promise<{ kept: Pair[]; rejected: number }> {
  const quiet: Pair[] = [];
  const disturbed: Pair[] = [];
  while (quiet.length < count && quiet.length + disturbed.length < count * (1 + REPEATS)) {
    const pair = await make();
    (runsOf(pair).some(isDisturbed) ? disturbed : quiet).push(pair);
  }
  return { kept: [...quiet, ...disturbed].slice(0, count), rejected: disturbed.length };
}

/**
 * Run `count` pairs, after runs of ours that do not count: a server runs compiled code most of its life. A machine that
 * is never quiet still gives figures; the number of rejected pairs tells what they are worth.
 */
export async function runPairs(
  generator: Generator,
  { load, options, restMs = 0, warmUps = 1 }: Job,
  ours: Target,
  theirs: Target,
  count: number,
): Promise<Pairs> {
  for (let run = 0; run < warmUps; run++) await measure(generator, load, ours, options);
  return collectPairs(
    count,
    async () => ({
      theirs: await measure(generator, load, theirs, options),
      ours: await setTimeout(restMs).then(async () => measure(generator, load, ours, options)),
    }),
    (pair) => [pair.theirs, pair.ours],
  );
}

function valueOf(metric: Metric, run: Measurement): number {
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

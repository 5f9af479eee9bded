import { startRelay } from './baseline.ts';
import type { Programs } from './build.ts';
import { compareBy, type Metric, runPairs } from './compare.ts';
import type { LoadOptions } from './generator.ts';
import type { Options } from './options.ts';
import { makeSite } from './site.ts';
import { median } from './statistics.ts';

/** Somebody else's proxy under our loads, beside the relay in C in the same run. */

const JOBS: { load: string; options: LoadOptions; metric: Metric; what: string }[] = [
  { load: 'download', options: { connections: 4 }, metric: 'bytes', what: 'download, 4 streams' },
  { load: 'paced', options: { connections: 200, rate: 1e6 }, metric: 'bytes', what: '200 downloads at 1 MB/s' },
  { load: 'upload', options: { connections: 4, record: 2900 }, metric: 'bytes', what: 'upload, 4 streams' },
  { load: 'pingpong', options: { connections: 100 }, metric: 'ops', what: '100-byte messages, 100 connections' },
  { load: 'openloop', options: { connections: 1000, rate: 5000 }, metric: 'p99', what: 'p99 of 5,000 messages/s' },
  { load: 'mixed', options: { connections: 50, rate: 500 }, metric: 'p99', what: 'p99 beside 8 downloads' },
  { load: 'setup', options: { connections: 32 }, metric: 'ops', what: 'sessions set up' },
];

export interface OtherFigure {
  load: string;
  what: string;
  /** Bytes or operations a wall second, or us of latency: the other proxy and the relay in C. */
  value: number;
  c: number;
  /** Work per CPU second against C, or latency against C; null without a PID. */
  ratio: number | null;
  spread: [number, number] | null;
  errors: number;
  rejected: number;
}

export async function driveOther(
  programs: Programs,
  other: NonNullable<Options['other']>,
  pairs: number,
  tell: (figure: OtherFigure) => void,
): Promise<void> {
  const site = { ...(await makeSite()), dc: other.dc };
  const generator = { program: programs.load, cores: site.generatorCores };
  const relay = await startRelay(programs.relay, site);
  try {
    for (const { load, options, metric, what } of JOBS) {
      const { kept, rejected } = await runPairs(generator, { load, options }, other, relay.target, pairs);
      const plain = (side: 'ours' | 'theirs'): number =>
        median(kept.map(({ [side]: run }) => (metric === 'p99' ? run.p99_us : run[metric] / run.seconds)));
      const { ratio, spread } = compareBy(metric, kept);
      const known = metric === 'p99' || other.pids.length > 0;
      tell({
        load,
        what,
        value: plain('ours'),
        c: plain('theirs'),
        ratio: known ? ratio : null,
        spread: known ? spread : null,
        errors: median(kept.map((pair) => pair.ours.errors)),
        rejected,
      });
    }
  } finally {
    await relay.stop();
  }
}

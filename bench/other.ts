import { startRelay } from './baseline.ts';
import type { Programs } from './build.ts';
import { compareBy, type Metric, runPairs } from './compare.ts';
import type { LoadOptions } from './generator.ts';
import type { Options } from './options.ts';
import { round } from './report.ts';
import { generatorAt, makeSite } from './site.ts';
import { median } from './statistics.ts';

/** Somebody else's proxy under our loads, beside the relay in C in the same run. */

/** The relay in C re-encrypts; a proxy that does not (fast mode) has the better of it in downloads. */
const JOBS: { load: string; options: LoadOptions; metric: Metric; what: string }[] = [
  { load: 'download', options: { connections: 4 }, metric: 'bytes', what: 'download, 4 streams' },
  { load: 'paced', options: { connections: 200, rate: 1e6 }, metric: 'bytes', what: '200 downloads at 1 MB/s' },
  { load: 'upload', options: { connections: 4, record: 2900 }, metric: 'bytes', what: 'upload, 4 streams' },
  { load: 'pingpong', options: { connections: 100 }, metric: 'ops', what: '100-byte messages, 100 connections' },
  { load: 'openloop', options: { connections: 1000, rate: 5000 }, metric: 'p99', what: 'p99 of 5,000 messages/s' },
  { load: 'mixed', options: { connections: 50, rate: 500 }, metric: 'p99', what: 'p99 beside 8 downloads' },
  { load: 'setup', options: { connections: 32 }, metric: 'ops', what: 'sessions set up' },
  { load: 'refused', options: { connections: 32, size: 512 }, metric: 'ops', what: 'refused hellos to the cover' },
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
  const site = await makeSite();
  site.dc = other.dc;
  site.cover = other.cover ?? site.cover;
  const generator = generatorAt(site, programs.load);
  const jobs = JOBS.filter(({ load }) => load !== 'refused' || other.cover !== undefined);
  const relay = await startRelay(programs.relay, site);
  try {
    for (const { load, options, metric, what } of jobs) {
      const { kept, rejected } = await runPairs(generator, { load, options }, other, relay.target, pairs);
      const plain = (side: 'ours' | 'theirs'): number =>
        median(kept.map(({ [side]: run }) => (metric === 'p99' ? run.p99_us : run[metric] / run.seconds)));
      const { ratio, spread } = compareBy(metric, kept);
      const known = metric === 'p99' || other.pids.length > 0;
      tell({
        load,
        what,
        value: round(plain('ours')),
        c: round(plain('theirs')),
        ratio: known ? round(ratio) : null,
        spread: known ? [round(spread[0]), round(spread[1])] : null,
        errors: median(kept.map((pair) => pair.ours.errors)),
        rejected,
      });
    }
  } finally {
    await relay.stop();
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { startRelay } from './baseline.ts';
import { compareBy, type Job, type Metric, runPairs } from './compare.ts';
import { startEngine } from './engine.ts';
import type { Bench } from './figure.ts';
import { KEYS_MS } from './openings.ts';
import { median } from './statistics.ts';

/** The figures that compare the engine with the relay in C doing the same job. */

interface RatioFigure {
  name: string;
  title: string;
  metric: Metric;
  /** Goals in pure TypeScript and with the accelerator. */
  goal: [pure: number, accelerated: number];
  better: 'higher' | 'lower';
}

export interface RatioGroup extends Job {
  fast: boolean;
  figures: RatioFigure[];
}

const higher = (name: string, title: string, metric: Metric, ...goal: [number, number]): RatioFigure => ({
  name,
  title,
  metric,
  goal,
  better: 'higher',
});
const lower = (name: string, title: string, metric: Metric, ...goal: [number, number]): RatioFigure => ({
  ...higher(name, title, metric, ...goal),
  better: 'lower',
});

export const RATIO_GROUPS: RatioGroup[] = [
  {
    fast: true,
    load: 'download',
    options: { connections: 4 },
    figures: [higher('download_fast_tls', 'download, fast mode, 4 streams', 'bytes', 1, 1)],
  },
  {
    fast: true,
    load: 'paced',
    options: { connections: 200, rate: 1e6 },
    figures: [higher('paced_200_fast', '200 downloads at 1 MB/s, fast mode', 'bytes', 0.55, 0.55)],
  },
  {
    fast: false,
    load: 'download',
    options: { connections: 4 },
    figures: [higher('download_reencrypted_tls', 'download, re-encrypted, 4 streams', 'bytes', 0.75, 0.95)],
  },
  {
    fast: false,
    load: 'paced',
    options: { connections: 200, rate: 1e6 },
    figures: [higher('paced_200_reencrypted', '200 downloads at 1 MB/s, re-encrypted', 'bytes', 0.7, 0.7)],
  },
  {
    fast: false,
    load: 'upload',
    options: { connections: 4, record: 2900 },
    figures: [higher('upload_2900_tls', 'upload, records of 2,900 bytes, 4 streams', 'bytes', 0.75, 0.9)],
  },
  {
    fast: false,
    load: 'pingpong',
    options: { connections: 100, size: 100 },
    figures: [higher('messages_100', '100-byte messages, 100 connections', 'ops', 0.65, 0.85)],
  },
  {
    fast: false,
    load: 'pingpong',
    options: { connections: 1000, size: 100 },
    figures: [higher('messages_1000', '100-byte messages, 1,000 connections', 'ops', 0.65, 0.8)],
  },
  {
    fast: false,
    load: 'openloop',
    options: { connections: 1000, rate: 5000 },
    figures: [lower('open_loop_p99_1000', 'p99 of 5,000 messages/s, 1,000 connections', 'p99', 1.5, 1.5)],
  },
  {
    fast: false,
    load: 'mixed',
    options: { connections: 50, rate: 500 },
    figures: [
      higher('mixed_throughput', '8 downloads beside 500 messages/s', 'bytes', 0.9, 0.9),
      lower('mixed_p99', 'p99 of those messages', 'p99', 1.5, 1.5),
    ],
  },
];

export async function runRatios(bench: Bench): Promise<void> {
  for (const fast of [true, false]) {
    const wanted = RATIO_GROUPS.filter(
      (group) => group.fast === fast && group.figures.some(({ name }) => bench.wants(name)),
    );
    if (wanted.length > 0) await runGroups(bench, fast, wanted);
  }
}

async function runGroups(bench: Bench, fast: boolean, groups: RatioGroup[]): Promise<void> {
  const theirs = await startRelay(bench.programs.relay, bench.site, { fast });
  const ours = await startEngine(bench.entry, bench.site, { fast });
  try {
    await sleep(KEYS_MS);
    for (const group of groups) {
      const { kept, rejected } = await runPairs(bench.generator, group, ours.target, theirs.target, bench.pairs);
      for (const figure of group.figures.filter(({ name }) => bench.wants(name))) {
        const compared = compareBy(figure.metric, kept);
        bench.tell({
          ...figure,
          value: compared.ratio,
          spread: compared.spread,
          unit: 'x',
          goal: figure.goal[ours.accelerated ? 1 : 0],
          rejected,
          raw: {
            mtp: compared.ours,
            c: compared.theirs,
            mtp_errors: median(kept.map((pair) => pair.ours.errors)),
            generator_cores: median(kept.map((pair) => pair.ours.generator_cpu_seconds / pair.ours.seconds)),
          },
        });
      }
    }
  } finally {
    await ours.stop();
    await theirs.stop();
  }
}

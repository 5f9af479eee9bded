import type { Job } from './compare.ts';

/** The figures that compare the engine with the relay in C doing the same job. */

export interface RatioFigure extends Job {
  name: string;
  title: string;
  fast: boolean;
  /** Goals in pure TypeScript and with the accelerator. */
  goal: [pure: number, accelerated: number];
  better: 'higher' | 'lower';
}

const higher = (value: number): Pick<RatioFigure, 'goal' | 'better'> => ({ goal: [value, value], better: 'higher' });

export const RATIOS: RatioFigure[] = [
  {
    name: 'download_fast_tls',
    title: 'download, fast mode, 4 streams',
    load: 'download',
    options: { connections: 4 },
    metric: 'bytes',
    fast: true,
    ...higher(1),
  },
  {
    name: 'download_reencrypted_tls',
    title: 'download, re-encrypted, 4 streams',
    load: 'download',
    options: { connections: 4 },
    metric: 'bytes',
    fast: false,
    goal: [0.75, 0.95],
    better: 'higher',
  },
  {
    name: 'upload_2900_tls',
    title: 'upload in records of 2,900 bytes, 4 streams',
    load: 'upload',
    options: { connections: 4, record: 2900 },
    metric: 'bytes',
    fast: true,
    goal: [0.75, 0.9],
    better: 'higher',
  },
  {
    name: 'messages_100',
    title: '100-byte ping-pong, 100 connections',
    load: 'pingpong',
    options: { connections: 100, size: 100 },
    metric: 'ops',
    fast: false,
    goal: [0.65, 0.85],
    better: 'higher',
  },
  {
    name: 'messages_1000',
    title: '100-byte ping-pong, 1,000 connections',
    load: 'pingpong',
    options: { connections: 1000, size: 100 },
    metric: 'ops',
    fast: false,
    goal: [0.65, 0.8],
    better: 'higher',
  },
];

import { readdirSync, readFileSync } from 'node:fs';

/** What the kernel says about a process. */
export interface Footprint {
  fds: number;
  threads: number;
  rssMb: number;
  /** Memory that no file is behind: heaps and stacks. */
  anonymousMb: number;
}

const field = (file: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(file, 'utf8'))?.[1] ?? Number.NaN);

export function footprint(pid: number): Footprint {
  const at = `/proc/${pid}`;
  return {
    fds: readdirSync(`${at}/fd`).length,
    threads: field(`${at}/status`, 'Threads'),
    rssMb: field(`${at}/smaps_rollup`, 'Rss') / 1024,
    anonymousMb: field(`${at}/smaps_rollup`, 'Anonymous') / 1024,
  };
}

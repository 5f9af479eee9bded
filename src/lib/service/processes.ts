import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Paths } from '../system/paths.ts';
import { daemonFiles } from './daemon-files.ts';

const POLL_MS = 50;
/** Process numbers are used again: only the command line tells that it is still the same. */
const DAEMON = /\0run(\0|$)/;
const ENGINE = /\/engine\/main\.[jt]s(\0|$)/;

/** The daemon of this installation by its pid file; undefined where none runs. */
export async function findDaemon(paths: Pick<Paths, 'state'>): Promise<number | undefined> {
  return (await running(daemonFiles(paths).pid, DAEMON))[0];
}

/** All engines of this installation, those of a daemon that died included. */
export async function findEngines(paths: Pick<Paths, 'state'>): Promise<number[]> {
  return running(daemonFiles(paths).engines, ENGINE);
}

/** Send a signal; a process that is gone needs none. */
export function signal(pids: number[], name: 'SIGTERM' | 'SIGKILL'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Wait until these processes have ended, at most so long; returns those that have not. */
export async function gone(pids: number[], waitMs: number): Promise<number[]> {
  const deadline = performance.now() + waitMs;
  for (let left = pids; ; await sleep(POLL_MS)) {
    const lines = await Promise.all(left.map(async (pid) => commandLine(pid)));
    left = left.filter((_pid, index) => lines[index] !== '');
    if (left.length === 0 || performance.now() > deadline) return left;
  }
}

async function running(file: string, wanted: RegExp): Promise<number[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const pids = [...new Set(text.split('\n').map(Number))].filter((pid) => Number.isInteger(pid) && pid > 1);
  const lines = await Promise.all(pids.map(async (pid) => commandLine(pid)));
  return pids.filter((_pid, index) => wanted.test(lines[index] ?? ''));
}

/** Empty for a process that has ended, whether its parent knows or not. */
async function commandLine(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
}

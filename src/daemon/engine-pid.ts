import { readFile, unlink } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoCode } from '../lib/errors.ts';
import { writeAtomic } from '../lib/system/files.ts';

/** The engines of a daemon that died go on relaying; this file is how the next daemon finds them, a line each. */
const fileIn = (state: string): string => path.join(state, 'engine.pid');
const POLL_MS = 500;

export async function writeEnginePids(state: string, pids: number[]): Promise<void> {
  await writeAtomic(fileIn(state), pids.map((pid) => `${pid}\n`).join(''));
}

export async function removeEnginePids(state: string): Promise<void> {
  await unlink(fileIn(state)).catch((error: unknown) => {
    if (errnoCode(error) !== 'ENOENT') throw error;
  });
}

/** The engines that an earlier daemon left running, also those that it was killed too early to write down: `more` knows of them. */
export async function findOrphans(state: string, more: readonly number[] = [], proc = '/proc'): Promise<number[]> {
  const lines = (await readFile(fileIn(state), 'utf8').catch(() => '')).split('\n');
  const pids = [...new Set([...lines.map(Number), ...more])].filter((pid) => Number.isInteger(pid) && pid > 1);
  const running = await Promise.all(pids.map(async (pid) => isEngine(pid, proc)));
  return pids.filter((_pid, index) => running[index]);
}

/** Resolves when none of these engines runs any more. */
export async function orphansGone(pids: number[], signal: AbortSignal): Promise<void> {
  let left = pids;
  while (left.length > 0) {
    await sleep(POLL_MS, undefined, { signal, ref: false });
    const running = await Promise.all(left.map(async (pid) => isEngine(pid, '/proc')));
    left = left.filter((_pid, index) => running[index]);
  }
}

/** Process numbers are used again: only the command line tells that it is still the same. */
export async function isEngine(pid: number, proc = '/proc'): Promise<boolean> {
  const commandLine = await readFile(path.join(proc, String(pid), 'cmdline'), 'utf8').catch(() => '');
  return /\/engine\/main\.[jt]s(\0|$)/.test(commandLine);
}

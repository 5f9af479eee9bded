import { readFile, unlink } from 'node:fs/promises';
import path from 'node:path';
import { errnoCode } from '../lib/errors.ts';
import { writeAtomic } from '../lib/system/files.ts';

/** The engine of a daemon that died goes on relaying; this file is how the next daemon finds it. */
const fileIn = (state: string): string => path.join(state, 'engine.pid');

export async function writeEnginePid(state: string, pid: number): Promise<void> {
  await writeAtomic(fileIn(state), `${pid}\n`);
}

export async function removeEnginePid(state: string): Promise<void> {
  await unlink(fileIn(state)).catch((error: unknown) => {
    if (errnoCode(error) !== 'ENOENT') throw error;
  });
}

/** The engine that an earlier daemon left running; undefined when there is none. */
export async function findOrphan(state: string, proc = '/proc'): Promise<number | undefined> {
  const pid = Number(await readFile(fileIn(state), 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  // Process numbers are used again: only the command line tells that it is still the same.
  const commandLine = await readFile(path.join(proc, String(pid), 'cmdline'), 'utf8').catch(() => '');
  return /\/engine\/main\.[jt]s(\0|$)/.test(commandLine) ? pid : undefined;
}

import { readFile, readlink, symlink, unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoCode, EXIT, MtpError } from '../errors.ts';
import { fileError } from './files.ts';

const WAIT_MS = 5000;
const RETRY_MS = 25;

/**
 * Run `action` while no other process does so under the same lock file. The lock is a symbolic link whose target names
 * its holder: created atomically with its content, so that no waiter ever sees a lock without a holder. A lock whose
 * holder is gone is removed; one that is held longer than `waitMs` is an error with exit status 75.
 */
export async function withLock<Result>(
  file: string,
  action: () => Promise<Result>,
  waitMs: number = WAIT_MS,
): Promise<Result> {
  await acquire(file, waitMs);
  try {
    return await action();
  } finally {
    await unlink(file);
  }
}

async function acquire(file: string, waitMs: number): Promise<void> {
  // The start time tells a process from a later one with the same number.
  const mine = `${process.pid}:${await startOf(process.pid)}`;
  for (const deadline = performance.now() + waitMs; ;) {
    if (await take(file, mine)) return;
    const holder = await holderOf(file);
    if (holder === undefined) continue;
    if (await isGone(holder)) {
      await removeStale(file, waitMs);
    } else if (performance.now() >= deadline) {
      throw new MtpError('TEMPORARY', `${file} has been held by process ${pidOf(holder)} for ${waitMs / 1000} s`, {
        exit: EXIT.temporary,
        hint: `Wait for that process, or see what it does with "ps ${pidOf(holder)}", and run the command again.`,
      });
    } else {
      await sleep(RETRY_MS);
    }
  }
}

async function take(file: string, holder: string): Promise<boolean> {
  try {
    await symlink(holder, file);
    return true;
  } catch (error) {
    if (errnoCode(error) === 'EEXIST') return false;
    throw fileError('lock', file, error);
  }
}

/** Looks again under a lock of its own, or two waiters could see one stale lock and the slower remove the new one. */
async function removeStale(file: string, waitMs: number): Promise<void> {
  await withLock(
    `${file}.stale`,
    async () => {
      const holder = await holderOf(file);
      if (holder !== undefined && (await isGone(holder))) await unlink(file);
    },
    waitMs,
  );
}

async function holderOf(file: string): Promise<string | undefined> {
  try {
    return await readlink(file);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw fileError('read the lock', file, error);
  }
}

function pidOf(holder: string): number {
  return Number.parseInt(holder, 10);
}

async function isGone(holder: string): Promise<boolean> {
  const pid = pidOf(holder);
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    if (errnoCode(error) === 'ESRCH') return true;
  }
  const start = await startOf(pid);
  return start !== '' && `${pid}:${start}` !== holder;
}

/** Field 22 of `/proc/PID/stat`, counted behind the name, which may hold spaces; empty where it is hidden. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

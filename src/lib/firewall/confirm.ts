import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { EXIT, MtpError } from '../errors.ts';
import { exists } from '../host/machine.ts';
import type { Exec } from '../system/exec.ts';
import { ensureDirectory, writeAtomic } from '../system/files.ts';
import { BOOT, changeDirectory, disarm, findEnded, findPending, forget, rollBack } from './pending.ts';
import { markInForce } from './mark.ts';
import { stopTimer } from './timer.ts';
import { type ChangeEdges, tooLate, withFirewallLock } from './change.ts';

/** The loader of what a start of the machine brings back. */
export const LOADER = 'load.sh';

/** Where the rules of the next start are kept. */
export const bootDirectory = (dir: string): string => path.join(dir, BOOT);

/** Keep the change that waits. Exit status 6 where it was too late. */
export async function confirmChange(dir: string, exec: Exec): Promise<{ id: string }> {
  const pending = await findPending(dir);
  if (pending === undefined) throw await nothingPending(dir);
  return keep(dir, pending.id, { exec, reached: () => undefined });
}

/** Keep one change: this one, or the rules from before are back already. */
export async function keep(
  dir: string,
  id: string,
  { exec, reached }: Pick<ChangeEdges, 'exec' | 'reached'>,
): Promise<{ id: string }> {
  if (!(await disarm(dir, id))) throw tooLate();
  reached('disarmed');
  await stopTimer(exec, id);
  await finish(dir, id);
  return { id };
}

/** Take the change that waits back now. */
export async function rollBackChange(dir: string, exec: Exec): Promise<{ id: string }> {
  const pending = await findPending(dir);
  const broken = (await findEnded(dir)).find(({ how }) => how === 'failed' || how === 'rolling');
  const id = pending?.id ?? broken?.id;
  if (id === undefined) throw await nothingPending(dir);
  await rollBack(dir, id);
  await stopTimer(exec, id);
  return { id };
}

/** Finish what a killed command began to clear away. */
export async function clearEnded(dir: string): Promise<void> {
  for (const { id, how } of await findEnded(dir)) {
    if (how === 'confirmed') await finish(dir, id);
    if (how === 'rolled-back') await forget(dir, id);
  }
}

/** What is kept is what a start of the machine brings back, where it brings anything back. */
async function finish(dir: string, id: string): Promise<void> {
  await withFirewallLock(dir, async () => {
    const from = path.join(changeDirectory(dir, id), BOOT);
    if ((await exists(path.join(bootDirectory(dir), LOADER))) && (await exists(from)))
      await copyBoot(from, bootDirectory(dir));
    await markInForce(dir);
    // What is in force now is known: what went wrong before is over.
    for (const ended of await findEnded(dir)) if (ended.id !== id) await forget(dir, ended.id);
    await forget(dir, id);
  });
}

/** Each file in one step, the one that loads the others last. */
export async function copyBoot(from: string, to: string): Promise<void> {
  await ensureDirectory(to);
  const names = (await readdir(from)).toSorted((a, b) => Number(a === LOADER) - Number(b === LOADER));
  for (const name of names) {
    await writeAtomic(path.join(to, name), await readFile(path.join(from, name)), name === LOADER ? 0o700 : 0o600);
  }
  for (const name of await readdir(to)) if (!names.includes(name)) await rm(path.join(to, name));
}

async function nothingPending(dir: string): Promise<MtpError> {
  if ((await findEnded(dir)).some(({ how }) => how === 'rolled-back')) return tooLate();
  return new MtpError('FIREWALL_NOTHING_PENDING', 'no change of the firewall waits to be confirmed', {
    exit: EXIT.precondition,
    hint: 'See what is in force with: mtp firewall status',
  });
}

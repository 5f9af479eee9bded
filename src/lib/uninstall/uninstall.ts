import { readFile, rm, rmdir } from 'node:fs/promises';
import { EXIT, MtpError, errnoCode } from '../errors.ts';
import { findAccount, findGroup } from '../host/account.ts';
import { isInForce } from '../firewall/mark.ts';
import { exists } from '../host/machine.ts';
import { type Made, readJournal, unfinishedState } from '../init/journal.ts';
import type { Layout } from '../init/layout.ts';
import { withInstallLock } from '../init/lock.ts';
import { stop } from '../service/stop.ts';
import { disableUnit } from '../service/systemd.ts';
import { type Exec, lastWords } from '../system/exec.ts';
import { fileError } from '../system/files.ts';
import { sha256 } from '../system/hash.ts';
import { loadTuneState } from '../tune/state.ts';

export interface UninstallAction {
  made: Made;
  action: 'remove' | 'keep' | 'gone';
  /** For the screen. */
  text: string;
}

/** What would be removed, the newest first; null where `mtp init` made nothing. */
export async function planUninstall(layout: Layout, keepData: boolean): Promise<UninstallAction[] | null> {
  const journal = await readJournal(layout);
  const unfinished = unfinishedState(layout);
  if (journal === undefined) {
    if (!(await exists(unfinished))) return null;
    const made: Made = { kind: 'directory', path: unfinished, contents: true };
    return [{ made, action: 'remove', text: `${unfinished} and all in it` }];
  }
  return Promise.all(journal.made.toReversed().map(async (made) => decide(made, layout, keepData)));
}

async function decide(made: Made, { paths, account, root }: Layout, keepData: boolean): Promise<UninstallAction> {
  switch (made.kind) {
    case 'service':
      return { made, action: 'remove', text: 'the running proxy' };
    case 'user': {
      const there = await findAccount(made.name, root);
      if (there === undefined) return { made, action: 'gone', text: `user ${made.name}` };
      if (keepData) return { made, action: 'keep', text: `user ${account}: it owns the data` };
      return { made, action: 'remove', text: `system user ${made.name}` };
    }
    case 'data':
    case 'directory': {
      if (!(await exists(made.path))) return { made, action: 'gone', text: made.path };
      const isData = made.kind === 'data' || made.path === paths.state || made.path === paths.config;
      if (keepData && isData) return { made, action: 'keep', text: `${made.path}: data` };
      const whole = made.kind === 'directory' && made.contents;
      return { made, action: 'remove', text: whole ? `${made.path} and all in it` : made.path };
    }
    case 'file': {
      const present = await readFile(made.path).catch(() => undefined);
      if (present === undefined) return { made, action: 'gone', text: made.path };
      if (sha256(present) !== made.sha256) return { made, action: 'keep', text: `${made.path}: changed since` };
      if (keepData && made.path.startsWith(`${paths.config}/`))
        return { made, action: 'keep', text: `${made.path}: data` };
      return { made, action: 'remove', text: made.path };
    }
  }
}

/** Do what the plan says and see that it is done, with nobody else installing or removing. */
export async function runUninstall(plan: UninstallAction[], layout: Layout, exec: Exec): Promise<{ left: string[] }> {
  return withInstallLock(layout, async () => removeMade(plan, layout, exec));
}

/** The same within an installation. The journal shrinks with it, so that a killed run can be repeated. */
export async function removeMade(plan: UninstallAction[], layout: Layout, exec: Exec): Promise<{ left: string[] }> {
  await refuseTuned(plan, layout);
  await refuseGuarded(layout);
  const left: string[] = [];
  for (const { made, action } of plan) {
    if (action === 'keep') continue;
    if (action === 'remove' && !(await remove(made, layout, exec)) && 'path' in made) left.push(made.path);
    const journal = await readJournal(layout);
    const entry = journal?.made.find((known) => JSON.stringify(known) === JSON.stringify(made));
    if (entry !== undefined) await journal?.forget(entry);
  }
  const journal = await readJournal(layout);
  // Where the state directory was there before, these are what is left of us in it.
  if (journal?.made.length === 0) for (const file of [layout.result, layout.journal]) await rm(file, { force: true });
  return { left };
}

/** False where a directory stays because something of somebody else is in it. */
async function remove(made: Made, layout: Layout, exec: Exec): Promise<boolean> {
  switch (made.kind) {
    case 'service':
      await stop(layout.paths, { now: true });
      if (made.manager === 'systemd') await disableUnit();
      return true;
    case 'user':
      await removeAccount(made.name, layout.root, exec);
      return true;
    case 'file':
    case 'data':
      await rm(made.path, { force: true });
      return true;
    case 'directory':
      try {
        if (made.contents) await rm(made.path, { recursive: true, force: true });
        else await rmdir(made.path);
        return true;
      } catch (error) {
        if (errnoCode(error) === 'ENOTEMPTY') return false;
        throw fileError('remove', made.path, error);
      }
  }
}

async function removeAccount(name: string, root: string, exec: Exec): Promise<void> {
  const at = root === '/' ? [] : ['--prefix', root];
  const ran = await exec('userdel', [...at, name]);
  if ((await findGroup(name, root)) !== undefined) await exec('groupdel', [...at, name]);
  if ((await findAccount(name, root)) === undefined) return;
  throw new MtpError('ACCOUNT_LEFT', `cannot remove the user ${name}: ${lastWords(ran)}`, {
    hint: 'End its processes, then run "mtp uninstall" again.',
  });
}

/** The values from before are in the state directory. */
async function refuseTuned(plan: UninstallAction[], { paths }: Layout): Promise<void> {
  const goes = plan.some(({ made, action }) => action === 'remove' && 'path' in made && made.path === paths.state);
  if (!goes || (await loadTuneState(paths.state)) === undefined) return;
  throw new MtpError('TUNED', 'settings of the kernel are still those of mtp', {
    exit: EXIT.precondition,
    hint: 'Take them back first: mtp tune undo',
  });
}

/** Rules of the firewall outlive the proxy that they are for. */
async function refuseGuarded({ paths }: Layout): Promise<void> {
  if (!(await isInForce(paths.firewall))) return;
  throw new MtpError('FIREWALL_IN_FORCE', 'rules of mtp are still in the firewall', {
    exit: EXIT.precondition,
    hint: 'Take them away first: mtp firewall remove',
  });
}

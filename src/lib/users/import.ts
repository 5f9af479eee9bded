import { readFile, stat } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import { EXIT, MtpError } from '../errors.ts';
import { openSealing } from '../keyring/sealing.ts';
import { changeLedger, type Ledger } from '../ledger/open.ts';
import { fileError } from '../system/files.ts';
import { plural } from '../ui/format.ts';
import type { UserFiles } from './files.ts';
import { type ImportPlan, type LineFault, planImport } from './import-plan.ts';
import { holdersOf, insertUsers, rewriteUser, rowsOf } from './insert.ts';
import { SYSTEM, type UserSources } from './make.ts';
import { openUsers, openWithin } from './open-users.ts';
import { planReplace, type UserChanges } from './replace.ts';
import { refuseMore, refuseOverflow } from './room.ts';
import { isSame, notKept, removeWithin } from './store.ts';
import { foldName, type User } from './user.ts';
import { readUsers, withUsers } from './with-users.ts';

export interface ImportOptions {
  /** Import the lines that are right, whatever the others are. */
  partial: boolean;
  /** Change nothing. */
  dryRun: boolean;
  allowWeak: boolean;
  /** Make users who are there as their lines say. */
  replace?: boolean;
  /** Remove who is not in the file. */
  removeOthers?: boolean;
}

export interface Imported {
  /** The file as messages name it. */
  source: string;
  /** New users that were written and read back; in a dry run those that would be. */
  imported: number;
  /** Users who were there and are as the file says now, and who was removed. */
  replaced: number;
  removed: number;
  /** Whether lines that cannot be imported kept all others out. */
  refused: boolean;
  /** In the order of their lines. */
  faults: LineFault[];
  warnings: string[];
}

const OTHERS_MAY_READ = 0o044;

/** Add or replace the users of a CSV file, `-` being standard input: all in one transaction, or with a faulty line none unless partial. */
export async function importUsers(
  files: UserFiles,
  file: string,
  options: ImportOptions,
  sources: UserSources = SYSTEM,
): Promise<Imported> {
  const { text, source, warnings } = await readSource(file);
  const reading = { now: sources.now().getTime(), allowWeak: options.allowWeak };
  const planned = planImport(text, source, reading, sources);
  const refuses = ({ faults }: Pick<ImportPlan, 'faults'>): boolean => faults.length > 0 && !options.partial;
  const decide = async (ledger: Ledger): Promise<UserChanges> =>
    options.replace === true
      ? planReplace(await openWithin(ledger, files, 'all'), planned, {
          removeOthers: options.removeOthers === true,
          now: reading.now,
        })
      : withoutTaken(ledger, files, planned, sources);
  if (options.dryRun || refuses(planned)) {
    const all = planned.users.map(({ user }) => user);
    if (!refuses(planned)) refuseMore(0, rowsOf(all));
    const none = { ...NOTHING, add: all, faults: planned.faults };
    const changes = await readUsers(files, none, async (ledger) => {
      const found = await decide(ledger);
      if (found.remove.length === 0) await refuseOverflow(ledger, rowsOf(found.add));
      return found;
    });
    return { source, ...outcomeOf(changes, refuses(changes)), warnings };
  }
  return withUsers(files, async (ledger) => {
    const changes = await changeLedger(ledger, async (change) => {
      const found = await decide(change);
      if (refuses(found)) return { ...NOTHING, faults: found.faults };
      await writeChanges(change, files, found, sources);
      return found;
    });
    await proveAllKept(ledger, files, changes);
    return { source, ...outcomeOf(changes, refuses(changes)), warnings };
  });
}

const NOTHING: UserChanges = { add: [], change: [], remove: [], same: 0, faults: [] };

function outcomeOf(
  { add, change, remove, faults }: UserChanges,
  refused: boolean,
): Omit<Imported, 'source' | 'warnings'> {
  const count = (users: unknown[]): number => (refused ? 0 : users.length);
  return { imported: count(add), replaced: count(change), removed: count(remove), refused, faults };
}

/** Within a change. Who goes gives names and secrets free. */
async function writeChanges(
  change: Ledger,
  files: UserFiles,
  { add, change: changed, remove }: UserChanges,
  sources: UserSources,
): Promise<void> {
  for (const user of remove) await removeWithin(change, user, sources.now().getTime());
  const sealing = await openSealing(change, files, sources);
  for (const { before, after } of changed) await rewriteUser(change, before, after, sealing);
  await insertUsers(change, add, sealing);
}

/** An import that was not gone on with. */
export function noImport(source: string): Imported {
  return { source, ...outcomeOf(NOTHING, false), warnings: [] };
}

/** What an import would do, and what it did; the latter is empty where that is nothing. */
export function describeImport({ imported, replaced, removed }: Imported): { would: string; did: string } {
  const parts = [
    { count: imported, verb: 'imported' },
    { count: replaced, verb: 'changed' },
    { count: removed, verb: 'removed' },
  ].filter(({ count }, at) => count > 0 || (at === 0 && replaced + removed === 0));
  const would = parts.map(({ count, verb }, at) => `${plural(count, 'user')} ${at === 0 ? 'would be ' : ''}${verb}`);
  const did = parts.map(({ count, verb }) => `${verb} ${plural(count, 'user')}`).join(', ');
  const nothing = imported + replaced + removed === 0;
  return { would: would.join(', '), did: nothing ? '' : `${did.slice(0, 1).toUpperCase()}${did.slice(1)}` };
}

/** What a refused import is as an error. */
export function importRefused(file: string, faults: LineFault[]): MtpError {
  return new MtpError('IMPORT_REFUSED', `${plural(faults.length, 'line')} of ${file} cannot be imported; nothing was`, {
    exit: EXIT.precondition,
    hint: 'Correct the file, or import the other lines with --partial.',
  });
}

/** The lines that cannot be imported, as many as a person reads. */
export function describeFaults(file: string, faults: LineFault[]): string[] {
  const SHOWN = 20;
  const lines = faults.slice(0, SHOWN).flatMap(({ line, fault, hint }) => {
    return [`${file}:${line}: ${fault}`, ...(hint === undefined ? [] : [`  ${hint}`])];
  });
  const rest = faults.length - SHOWN;
  return rest > 0 ? [...lines, `${plural(rest, 'more line', 'more lines')}; --json names every one.`] : lines;
}

/** The plan without those whose name or secret somebody in the ledger has. */
async function withoutTaken(
  ledger: Ledger,
  files: UserFiles,
  { users, faults }: ImportPlan,
  sources: UserSources,
): Promise<UserChanges> {
  const rows = await ledger.selectFrom('users').select(['label', 'label_fold']).execute();
  const all = users.map(({ user }) => user);
  if (rows.length === 0) return { ...NOTHING, add: all, faults };
  const taken = new Map(rows.map(({ label, label_fold }) => [label_fold, label]));
  const keys = all.flatMap(({ secrets }) => secrets.map(({ key }) => key));
  const holders = await holdersOf(ledger, await openSealing(ledger, files, sources), keys);
  const fit = { ...NOTHING, add: [] as User[], faults: [...faults] };
  for (const { line, user } of users) {
    const namesake = taken.get(foldName(user.name));
    const holder = user.secrets.map(({ key }) => holders.get(key)).find((name) => name !== undefined);
    if (namesake !== undefined) fit.faults.push({ line, fault: `there is already a user named ${namesake}` });
    else if (holder !== undefined) fit.faults.push({ line, fault: `${holder} already has this secret` });
    else fit.add.push(user);
  }
  fit.faults.sort((a, b) => a.line - b.line);
  return fit;
}

async function proveAllKept(ledger: Ledger, files: UserFiles, { add, change, remove }: UserChanges): Promise<void> {
  const users = [...add, ...change.map(({ after }) => after)];
  const found = await openUsers(ledger, files, { ids: [...users, ...remove].map(({ id }) => id) });
  const kept = new Map(found.map((user) => [user.id, user]));
  const lost = users.find((user) => !isSame(kept.get(user.id), user)) ?? remove.find(({ id }) => kept.has(id));
  if (lost !== undefined) throw notKept(files, lost.name);
}

async function readSource(file: string): Promise<{ text: string; source: string; warnings: string[] }> {
  if (file === '-') return { text: await textOf(process.stdin), source: 'standard input', warnings: [] };
  try {
    const text = await readFile(file, 'utf8');
    const [header = ''] = text.split('\n', 1);
    const exposed = ((await stat(file)).mode & OTHERS_MAY_READ) !== 0 && /\bsecret\b/i.test(header);
    return {
      text,
      source: file,
      warnings: exposed ? [`Other users can read ${file}, and it has secrets; run: chmod 600 ${file}`] : [],
    };
  } catch (error) {
    throw fileError('read', file, error);
  }
}

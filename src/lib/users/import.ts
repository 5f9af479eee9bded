import { readFile, stat } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import { EXIT, MtpError } from '../errors.ts';
import { openSealing } from '../keyring/sealing.ts';
import { changeLedger, type Ledger } from '../ledger/open.ts';
import { fileError } from '../system/files.ts';
import { plural } from '../ui/format.ts';
import type { UserFiles } from './files.ts';
import { type ImportPlan, type LineFault, planImport } from './import-plan.ts';
import { holdersOf, insertUsers, rowsOf } from './insert.ts';
import { SYSTEM, type UserSources } from './make.ts';
import { openUsers } from './open-users.ts';
import { refuseMore, refuseOverflow } from './room.ts';
import { isSame, notKept } from './store.ts';
import { foldName, type User } from './user.ts';
import { readUsers, withUsers } from './with-users.ts';

export interface ImportOptions {
  /** Import the lines that are right, whatever the others are. */
  partial: boolean;
  /** Change nothing. */
  dryRun: boolean;
  allowWeak: boolean;
}

export interface Imported {
  /** The file as messages name it. */
  source: string;
  /** Users that were written and read back; in a dry run those that would be. */
  imported: number;
  /** Whether lines that cannot be imported kept all others out. */
  refused: boolean;
  /** In the order of their lines. */
  faults: LineFault[];
  warnings: string[];
}

const OTHERS_MAY_READ = 0o044;

/** Add the users of a CSV file, `-` being standard input: all in one transaction, or with a faulty line none unless partial. */
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
  if (options.dryRun || refuses(planned)) {
    if (!refuses(planned)) refuseMore(0, rowsOf(planned.users.map(({ user }) => user)));
    const plan = await readUsers(files, planned, async (ledger) => {
      const fit = await withoutTaken(ledger, files, planned, sources);
      await refuseOverflow(ledger, rowsOf(fit.users.map(({ user }) => user)));
      return fit;
    });
    const refused = refuses(plan);
    return { source, imported: refused ? 0 : plan.users.length, refused, faults: plan.faults, warnings };
  }
  return withUsers(files, async (ledger) => {
    const plan = await changeLedger(ledger, async (change) => {
      const fit = await withoutTaken(change, files, planned, sources);
      if (refuses(fit)) return { ...fit, users: [] };
      const users = fit.users.map(({ user }) => user);
      await insertUsers(change, users, await openSealing(change, files, sources));
      return { ...fit, users };
    });
    await proveAllKept(ledger, files, plan.users);
    return { source, imported: plan.users.length, refused: refuses(plan), faults: plan.faults, warnings };
  });
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
): Promise<ImportPlan> {
  const rows = await ledger.selectFrom('users').select(['label', 'label_fold']).execute();
  if (rows.length === 0) return { users, faults };
  const taken = new Map(rows.map(({ label, label_fold }) => [label_fold, label]));
  const keys = users.flatMap(({ user }) => user.secrets.map(({ key }) => key));
  const holders = await holdersOf(ledger, await openSealing(ledger, files, sources), keys);
  const fit: ImportPlan = { users: [], faults: [...faults] };
  for (const { line, user } of users) {
    const namesake = taken.get(foldName(user.name));
    const holder = user.secrets.map(({ key }) => holders.get(key)).find((name) => name !== undefined);
    if (namesake !== undefined) fit.faults.push({ line, fault: `there is already a user named ${namesake}` });
    else if (holder !== undefined) fit.faults.push({ line, fault: `${holder} already has this secret` });
    else fit.users.push({ line, user });
  }
  fit.faults.sort((a, b) => a.line - b.line);
  return fit;
}

async function proveAllKept(ledger: Ledger, files: UserFiles, users: User[]): Promise<void> {
  const found = await openUsers(ledger, files, { ids: users.map(({ id }) => id) });
  const kept = new Map(found.map((user) => [user.id, user]));
  const lost = users.find((user) => !isSame(kept.get(user.id), user));
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

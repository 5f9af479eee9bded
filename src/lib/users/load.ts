import { EXIT, MtpError } from '../errors.ts';
import { exposure } from '../keyring/keyring.ts';
import { readGeneration } from '../ledger/open.ts';
import type { UserFiles } from './files.ts';
import { openUsers, toRecord } from './open-users.ts';
import { selectUsers, type Which } from './select.ts';
import { foldName, type User, type UserRecord } from './user.ts';
import { readUsers } from './with-users.ts';

export interface LoadedUsers {
  users: User[];
  /** What the operator should know about the files; one sentence each. */
  warnings: string[];
}

/** The users of this installation with their keys; none when nobody was added yet. Damage is an error and stays as it is. */
export async function loadUsers(files: UserFiles, which: Which = 'all'): Promise<LoadedUsers> {
  const users = await readUsers(files, [], async (ledger) => openUsers(ledger, files, which));
  return { users, warnings: await exposures(files) };
}

/** What the operator should know about the files of users; one sentence each. */
export async function exposures({ ledgerFile, keyringFile }: UserFiles): Promise<string[]> {
  return (await Promise.all([ledgerFile, keyringFile].map(exposure))).flat();
}

/** A word that is another after every change of the ledger; null before the first. */
export async function generationOf(files: UserFiles): Promise<string | null> {
  return readUsers(files, null, readGeneration);
}

/** The users of this installation without their keys, which need no opening. */
export async function listUsers(files: UserFiles): Promise<UserRecord[]> {
  return readUsers(files, [], async (ledger) => (await selectUsers(ledger, 'all')).map(toRecord));
}

/** One user with their keys; nobody of that name is an error that tells who there is. */
export async function loadUser(files: UserFiles, name: string): Promise<{ user: User; warnings: string[] }> {
  const { users, warnings } = await loadUsers(files, { fold: foldName(name) });
  const [user] = users;
  if (user !== undefined) return { user, warnings };
  const all = await listUsers(files);
  throw unknownUser(
    name,
    all.map((other) => other.name),
  );
}

/** One user without their keys; nobody of that name is an error that tells who there is. */
export async function findUser(files: UserFiles, name: string): Promise<UserRecord> {
  const [found] = await readUsers(files, [], async (ledger) => selectUsers(ledger, { fold: foldName(name) }));
  if (found !== undefined) return toRecord(found);
  const all = await listUsers(files);
  throw unknownUser(
    name,
    all.map((other) => other.name),
  );
}

/** The user that a command means when it names none: the one who was added first. */
export async function loadFirst(files: UserFiles): Promise<{ user: User; warnings: string[] }> {
  const { users, warnings } = await loadUsers(files, 'first');
  const [user] = users;
  if (user !== undefined) return { user, warnings };
  throw new MtpError('NO_USERS', 'nobody may connect yet', {
    exit: EXIT.precondition,
    hint: 'Start the proxy with "mtp run", which adds the first user, or add one with "mtp user add NAME".',
  });
}

/** Nobody has that name; `names` are those there are. */
export function unknownUser(name: string, names: string[]): MtpError {
  const some = names.slice(0, 10);
  return new MtpError('USER_UNKNOWN', `there is no user named ${JSON.stringify(name.slice(0, 80))}`, {
    hint:
      names.length === 0
        ? 'There are no users yet; add one with "mtp user add NAME".'
        : `There is ${some.join(', ')}${names.length > some.length ? ', …' : ''}; "mtp user list" shows them all.`,
  });
}

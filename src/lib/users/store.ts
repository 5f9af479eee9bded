import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { errnoCode, EXIT, MtpError } from '../errors.ts';
import { KEY_BYTES } from '../secret/secret.ts';
import { ensureDirectory, fileError, writeAtomic } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { withLock } from './lock.ts';
import { assertUserName, foldName, type User, usersFileSchema } from './user.ts';

export type { User } from './user.ts';

type Where = Pick<Paths, 'usersFile'>;

/** What a new user is made of. */
export interface UserSources {
  /** That many bytes from a cryptographic source. */
  random: (bytes: number) => Buffer;
  now: () => Date;
}

// The global, unlike `node:crypto`, is loaded when it is first used: reading users must be quick.
const SYSTEM: UserSources = {
  random: (count) => Buffer.from(crypto.getRandomValues(new Uint8Array(count))),
  now: () => new Date(),
};
const OTHERS_MAY_READ = 0o044;

export interface LoadedUsers {
  users: User[];
  /** What the operator should know about the file; one sentence each. */
  warnings: string[];
}

/** The users of this installation; none when there is no file yet. A damaged file is an error and stays as it is. */
export async function loadUsers({ usersFile }: Where): Promise<LoadedUsers> {
  try {
    const users = parseUsers(await readFile(usersFile, 'utf8'), usersFile);
    const { mode } = await stat(usersFile);
    const exposed = (mode & OTHERS_MAY_READ) !== 0;
    return { users, warnings: exposed ? [`Other users can read ${usersFile}; run: chmod 600 ${usersFile}`] : [] };
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return { users: [], warnings: [] };
    throw fileError('read', usersFile, error);
  }
}

/** Add a user with a key of 16 bytes, a fresh one if none is given. Names and keys are unique. */
export async function addUser(
  where: Where,
  { name, key }: { name: string; key?: Buffer | undefined },
  sources: UserSources = SYSTEM,
): Promise<User> {
  assertUserName(name);
  const user = makeUser(name, key, sources);
  return updateUsers(where, (users) => {
    if (findUser(users, name) !== undefined) {
      throw new MtpError('USER_EXISTS', `there is already a user named ${name}`, {
        hint: 'Choose another name, or remove that one first.',
      });
    }
    const twin = users.find((other) => other.key === user.key);
    if (twin !== undefined) {
      throw new MtpError('KEY_EXISTS', `${twin.name} already has this secret`, {
        hint: 'Give everybody a secret of their own.',
      });
    }
    return { users: [...users, user], result: user };
  });
}

/** Remove a user by name and return what was removed. */
export async function removeUser(where: Where, name: string): Promise<User> {
  return updateUsers(where, (users) => {
    const user = requireUser(users, name);
    return { users: users.filter((other) => other !== user), result: user };
  });
}

/** The first user, made and named `me` when there is none. */
export async function ensureFirstUser(
  where: Where,
  sources: UserSources = SYSTEM,
): Promise<{ user: User; created: boolean }> {
  const choose = ([first]: User[]): { user: User; created: boolean } | undefined =>
    first === undefined ? undefined : { user: first, created: false };
  return (
    choose((await loadUsers(where)).users) ??
    updateUsers(where, (users) => {
      const chosen = choose(users);
      if (chosen !== undefined) return { users, result: chosen };
      const user = makeUser('me', undefined, sources);
      return { users: [user], result: { user, created: true } };
    })
  );
}

/** The user of that name, in any case. */
export function findUser(users: User[], name: string): User | undefined {
  return users.find((user) => foldName(user.name) === foldName(name));
}

/** As `findUser`, but nobody of that name is an error that tells who there is. */
export function requireUser(users: User[], name: string): User {
  const user = findUser(users, name);
  if (user !== undefined) return user;
  const names = users.slice(0, 10).map((other) => other.name);
  throw new MtpError('USER_UNKNOWN', `there is no user named ${JSON.stringify(name.slice(0, 80))}`, {
    hint:
      names.length === 0
        ? 'There are no users yet; add one with "mtp secret add NAME".'
        : `There is ${names.join(', ')}${users.length > names.length ? ', …' : ''}; "mtp secret list" shows them all.`,
  });
}

/** The user that a command means when it names none: the one who was added first. */
export function requireFirst([first]: User[]): User {
  if (first !== undefined) return first;
  throw new MtpError('NO_USERS', 'nobody may connect yet', {
    exit: EXIT.precondition,
    hint: 'Start the proxy with "mtp run", which adds the first user, or add one with "mtp secret add NAME".',
  });
}

/** Read, change and write under the lock; nothing is written where the change returns the users it was given. */
async function updateUsers<Result>(
  { usersFile }: Where,
  change: (users: User[]) => { users: User[]; result: Result },
): Promise<Result> {
  await ensureDirectory(path.dirname(usersFile));
  return withLock(`${usersFile}.lock`, async () => {
    const before = (await loadUsers({ usersFile })).users;
    const { users, result } = change(before);
    if (users !== before) await writeAtomic(usersFile, `${JSON.stringify({ version: 1, users }, null, 2)}\n`);
    return result;
  });
}

function makeUser(name: string, key: Buffer | undefined, { random, now }: UserSources): User {
  return {
    id: random(8).toString('hex'),
    name,
    key: (key ?? random(KEY_BYTES)).toString('hex'),
    createdAt: now().toISOString(),
    enabled: true,
  };
}

function parseUsers(text: string, file: string): User[] {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw damaged(file, 'it is not JSON', error);
  }
  const result = usersFileSchema.safeParse(content);
  if (result.success) return result.data.users;
  const [issue] = result.error.issues;
  const at = issue?.path.join('.') ?? '';
  throw damaged(file, `${at === '' ? 'it' : at}: ${issue?.message ?? 'has an unknown fault'}`, result.error);
}

function damaged(file: string, fault: string, cause: unknown): MtpError {
  return new MtpError('USERS_DAMAGED', `cannot use ${file}: ${fault}`, {
    cause,
    exit: EXIT.precondition,
    hint: 'Correct the file or put a copy back in its place; mtp leaves it as it is.',
  });
}

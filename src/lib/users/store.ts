import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { MtpError } from '../errors.ts';
import { changeLedger, type Ledger } from '../ledger/open.ts';
import type { NewSecretRow } from '../ledger/schema.ts';
import { KEY_BYTES } from '../secret/secret.ts';
import { type UserFiles, withUsers } from './files.ts';
import { loadUsers, openUsers, unknownUser } from './load.ts';
import { fromSecretRow, fromUserRow, toSecretRow, toUserRow } from './rows.ts';
import { openSealing, type Sealing } from '../keyring/sealing.ts';
import { selectUsers, selectWithin } from './select.ts';
import {
  assertNote,
  assertTags,
  assertUserName,
  foldName,
  type Limits,
  NO_LIMITS,
  type User,
  type UserRecord,
  type UserSecret,
} from './user.ts';

/** What a new user is made of. */
export interface UserSources {
  /** That many bytes from a cryptographic source. */
  random: (bytes: number) => Buffer;
  now: () => Date;
}

export const SYSTEM: UserSources = { random: randomBytes, now: () => new Date() };

/** What an operator decides about a user. */
export interface Profile {
  limits: Limits;
  expiresAt: number | null;
  tags: string[];
  notes: string;
  enabled: boolean;
}

export interface NewUser extends Partial<Profile> {
  name: string;
  /** 16 bytes; a fresh one if none is given. */
  key?: Buffer | undefined;
}

/** Add a user. Names and keys are unique. */
export async function addUser(files: UserFiles, wish: NewUser, sources: UserSources = SYSTEM): Promise<User> {
  const user = makeUser(wish, sources);
  return withUsers(files, async (ledger) => {
    await changeLedger(ledger, async (change) => {
      await refuseName(change, user.name);
      await insertUsers(change, [user], await openSealing(change, files, sources));
    });
    return proveKept(ledger, files, user);
  });
}

/** Change what the operator decides about a user, or what they are called. What is not given stays. */
export async function setUser(
  files: UserFiles,
  name: string,
  patch: Partial<Profile> & { name?: string },
): Promise<{ before: UserRecord; user: UserRecord }> {
  if (patch.name !== undefined) assertUserName(patch.name);
  if (patch.notes !== undefined) assertNote(patch.notes);
  const given = patch.tags === undefined ? patch : { ...patch, tags: assertTags(patch.tags) };
  return withUsers(files, async (ledger) => {
    const { before, wanted } = await changeLedger(ledger, async (change) => {
      const before = await recordOf(change, name);
      const wanted = { ...before, ...given };
      if (given.name !== undefined && foldName(given.name) !== foldName(before.name))
        await refuseName(change, given.name);
      await change.updateTable('users').set(toUserRow(wanted)).where('id', '=', before.id).execute();
      await writeTags(change, wanted);
      return { before, wanted };
    });
    const [kept] = await selectUsers(ledger, { ids: [before.id] });
    const user = kept && fromUserRow(kept.row, kept.tags, kept.secrets.map(fromSecretRow));
    if (user === undefined || !isDeepStrictEqual(user, wanted)) throw notKept(files, wanted.name);
    return { before, user };
  });
}

/** Remove a user by name, with all their secrets, and return who that was. */
export async function removeUser(files: UserFiles, name: string): Promise<UserRecord> {
  return withUsers(files, async (ledger) => {
    const user = await changeLedger(ledger, async (change) => {
      const found = await recordOf(change, name);
      await change.deleteFrom('users').where('id', '=', found.id).execute();
      return found;
    });
    const left = await ledger.selectFrom('secrets').select('id').where('user_id', '=', user.id).execute();
    if (left.length > 0 || (await selectUsers(ledger, { ids: [user.id] })).length > 0) throw notKept(files, user.name);
    return user;
  });
}

/** The first user, made and named `me` when there is none. */
export async function ensureFirstUser(
  files: UserFiles,
  sources: UserSources = SYSTEM,
): Promise<{ user: User; created: boolean }> {
  const [first] = (await loadUsers(files, 'first')).users;
  if (first !== undefined) return { user: first, created: false };
  const mine = makeUser({ name: 'me' }, sources);
  return withUsers(files, async (ledger) => {
    const created = await changeLedger(ledger, async (change) => {
      if ((await selectWithin(change, 'first')).length > 0) return false;
      await insertUsers(change, [mine], await openSealing(change, files, sources));
      return true;
    });
    if (created) return { user: await proveKept(ledger, files, mine), created };
    const [user] = await openUsers(ledger, files, 'first');
    if (user === undefined) throw notKept(files, 'the first user');
    return { user, created };
  });
}

/** A user as wished, not yet kept. Words that cannot be a name, a tag or a note are errors. */
export function makeUser(wish: NewUser, sources: UserSources): User {
  const { name, key, limits = NO_LIMITS, expiresAt = null, tags = [], notes = '', enabled = true } = wish;
  assertUserName(name);
  assertNote(notes);
  const createdAt = sources.now().getTime();
  return {
    id: sources.random(8).toString('hex'),
    name,
    enabled,
    createdAt,
    lastSeenAt: null,
    expiresAt,
    notes,
    tags: assertTags(tags),
    limits: { ...limits },
    rotateAfter: null,
    secrets: [makeUserSecret(key, sources)],
  };
}

/** An active secret with this key, or a fresh one. */
export function makeUserSecret(key: Buffer | undefined, { random, now }: UserSources): UserSecret {
  return {
    id: random(8).toString('hex'),
    state: 'active',
    createdAt: now().getTime(),
    retiringUntil: null,
    retireLimitNetworks: null,
    revokedAt: null,
    tombstoneUntil: null,
    lastSeenAt: null,
    key: (key ?? random(KEY_BYTES)).toString('hex'),
  };
}

/** Few enough rows that SQLite takes their values at once, and that others get a turn in between. */
const ROWS_AT_ONCE = 200;

/** Write new users, within a change; a key that somebody has is an error. */
export async function insertUsers(
  change: Ledger,
  users: User[],
  sealing: Sealing,
  onProgress: (done: number) => void = () => undefined,
): Promise<void> {
  for (let at = 0; at < users.length; at += ROWS_AT_ONCE) {
    const some = users.slice(at, at + ROWS_AT_ONCE);
    await change.insertInto('users').values(some.map(toUserRow)).execute();
    const tags = some.flatMap(({ id, tags: own }) => own.map((tag) => ({ user_id: id, tag })));
    if (tags.length > 0) await change.insertInto('user_tags').values(tags).execute();
    for (const user of some) await refuseKeys(change, user, sealing);
    const secrets = await Promise.all(some.map(async (user) => secretRows(user, sealing)));
    if (secrets.length > 0) await change.insertInto('secrets').values(secrets.flat()).execute();
    onProgress(Math.min(users.length, at + ROWS_AT_ONCE));
  }
}

/** Write more secrets of a user, within a change; a key that somebody has is an error. */
export async function insertSecrets(
  change: Ledger,
  user: Pick<User, 'id' | 'secrets'>,
  sealing: Sealing,
): Promise<void> {
  await refuseKeys(change, user, sealing);
  await change
    .insertInto('secrets')
    .values(await secretRows(user, sealing))
    .execute();
}

/** Names the one whose key it is, if anybody has it. */
export async function holderOf(ledger: Ledger, sealing: Sealing, key: Buffer): Promise<string | undefined> {
  const twin = await ledger
    .selectFrom('secrets')
    .innerJoin('users', 'users.id', 'secrets.user_id')
    .select('users.label')
    .where('secrets.fingerprint', '=', sealing.fingerprint(key))
    .executeTakeFirst();
  return twin?.label;
}

/** The user of that name, within a change; nobody of that name is an error. */
export async function recordOf(change: Ledger, name: string): Promise<UserRecord> {
  const [found] = await selectWithin(change, { fold: foldName(name) });
  if (found !== undefined) return fromUserRow(found.row, found.tags, found.secrets.map(fromSecretRow));
  const labels = await change.selectFrom('users').select('label').orderBy('seq').execute();
  throw unknownUser(
    name,
    labels.map(({ label }) => label),
  );
}

/** Read back what was written; anything else than what was meant is an error. */
export async function proveKept(ledger: Ledger, files: UserFiles, wanted: User): Promise<User> {
  const [user] = await openUsers(ledger, files, { ids: [wanted.id] });
  if (user === undefined || !isDeepStrictEqual(user, wanted)) throw notKept(files, wanted.name);
  return user;
}

export function notKept({ ledgerFile }: UserFiles, name: string): MtpError {
  return new MtpError('LEDGER_NOT_KEPT', `${ledgerFile} does not show the change to ${name} that was just written`, {
    hint: 'Look whether another process changed the same user, and run the command again.',
  });
}

async function refuseName(change: Ledger, name: string): Promise<void> {
  const taken = await change
    .selectFrom('users')
    .select('label')
    .where('label_fold', '=', foldName(name))
    .executeTakeFirst();
  if (taken === undefined) return;
  throw new MtpError('USER_EXISTS', `there is already a user named ${taken.label}`, {
    hint: 'Choose another name, or remove that one first.',
  });
}

async function refuseKeys(change: Ledger, { secrets }: Pick<User, 'secrets'>, sealing: Sealing): Promise<void> {
  for (const { key } of secrets) {
    const holder = await holderOf(change, sealing, Buffer.from(key, 'hex'));
    if (holder === undefined) continue;
    throw new MtpError('KEY_EXISTS', `${holder} already has this secret`, {
      hint: 'Give everybody a secret of their own.',
    });
  }
}

async function secretRows({ id, secrets }: Pick<User, 'id' | 'secrets'>, sealing: Sealing): Promise<NewSecretRow[]> {
  return Promise.all(
    secrets.map(async (secret) =>
      toSecretRow(id, secret, await sealing.seal(secret.id, Buffer.from(secret.key, 'hex'))),
    ),
  );
}

async function writeTags(change: Ledger, { id, tags }: UserRecord): Promise<void> {
  await change.deleteFrom('user_tags').where('user_id', '=', id).execute();
  if (tags.length > 0) {
    await change
      .insertInto('user_tags')
      .values(tags.map((tag) => ({ user_id: id, tag })))
      .execute();
  }
}

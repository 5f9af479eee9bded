import { isDeepStrictEqual } from 'node:util';
import { MtpError } from '../errors.ts';
import { openSealing } from '../keyring/sealing.ts';
import { changeLedger, type Ledger } from '../ledger/open.ts';
import { beginPeriod } from '../usage/begin-period.ts';
import type { UserFiles } from './files.ts';
import { insertUsers, writeTags } from './insert.ts';
import { loadUsers, unknownUser } from './load.ts';
import { makeUser, type NewUser, type Profile, SYSTEM, type UserSources } from './make.ts';
import { openUsers } from './open-users.ts';
import { fromSecretRow, fromUserRow, toUserRow } from './rows.ts';
import { selectUsers, selectWithin } from './select.ts';
import { assertNote, assertTags, assertUserName, foldName, type User, type UserRecord } from './user.ts';
import { withUsers } from './with-users.ts';

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

/** What can be changed about a user; what is not given stays. */
export type UserPatch = Partial<Profile> & { name?: string };

/** Change what the operator decides about a user, or what they are called, as `decide` says of how they are at that moment. */
export async function setUser(
  files: UserFiles,
  name: string,
  decide: (before: UserRecord) => UserPatch,
  sources: Pick<UserSources, 'now'> = SYSTEM,
): Promise<{ before: UserRecord; user: UserRecord }> {
  return withUsers(files, async (ledger) => {
    const { before, wanted } = await changeLedger(ledger, async (change) => {
      const before = await recordOf(change, name);
      const wanted = patched(before, decide(before));
      if (foldName(wanted.name) !== foldName(before.name)) await refuseName(change, wanted.name);
      await change.updateTable('users').set(toUserRow(wanted)).where('id', '=', before.id).execute();
      await writeTags(change, wanted);
      const { quota } = wanted.limits;
      if (quota !== null && !isDeepStrictEqual(quota, before.limits.quota)) {
        await beginPeriod(change, before.id, { quota, before: before.limits.quota }, sources.now().getTime());
      }
      return { before, wanted };
    });
    const [kept] = await selectUsers(ledger, { ids: [before.id] });
    const user = kept && fromUserRow(kept.row, kept.tags, kept.secrets.map(fromSecretRow));
    if (user === undefined || !isSame(user, wanted)) throw notKept(files, wanted.name);
    return { before, user };
  });
}

function patched(before: UserRecord, patch: UserPatch): UserRecord {
  if (patch.name !== undefined) assertUserName(patch.name);
  if (patch.notes !== undefined) assertNote(patch.notes);
  return { ...before, ...patch, tags: patch.tags === undefined ? before.tags : assertTags(patch.tags) };
}

/** Remove a user by name, with all their secrets, and return who that was. What they used stays known under that name. */
export async function removeUser(
  files: UserFiles,
  name: string,
  sources: Pick<UserSources, 'now'> = SYSTEM,
): Promise<UserRecord> {
  return withUsers(files, async (ledger) => {
    const user = await changeLedger(ledger, async (change) => {
      const found = await recordOf(change, name);
      await removeWithin(change, found, sources.now().getTime());
      return found;
    });
    const left = await ledger.selectFrom('secrets').select('id').where('user_id', '=', user.id).execute();
    if (left.length > 0 || (await selectUsers(ledger, { ids: [user.id] })).length > 0) throw notKept(files, user.name);
    return user;
  });
}

/** Remove a user within a change; `now` in Unix ms. */
export async function removeWithin(change: Ledger, { id, name }: UserRecord, now: number): Promise<void> {
  await change.deleteFrom('users').where('id', '=', id).execute();
  await change.insertInto('removed_users').values({ id, label: name, removed_at: now }).execute();
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
  if (user === undefined || !isSame(user, wanted)) throw notKept(files, wanted.name);
  return user;
}

/** Whether two records of a user say the same, but for when they were seen: the daemon writes that at any time. */
export function isSame(one: UserRecord | undefined, other: UserRecord): boolean {
  return isDeepStrictEqual(one && unseen(one), unseen(other));
}

function unseen(user: UserRecord): UserRecord {
  const secrets = user.secrets.map((secret) => ({ ...secret, lastSeenAt: null }));
  return { ...user, lastSeenAt: null, secrets };
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

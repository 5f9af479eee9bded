import { openSealing } from '../keyring/sealing.ts';
import { changeLedger, type Ledger } from '../ledger/open.ts';
import type { UserFiles } from '../users/files.ts';
import { insertSecrets } from '../users/insert.ts';
import { refuseCrowd, refuseOverflow } from '../users/room.ts';
import { makeUserSecret, SYSTEM, type UserSources } from '../users/make.ts';
import { openUsers, toRecord } from '../users/open-users.ts';
import { selectUsers, selectWithin } from '../users/select.ts';
import { notKept, recordOf } from '../users/store.ts';
import { foldName, isAccepted, type SecretRecord, type User, type UserRecord } from '../users/user.ts';
import { withUsers } from '../users/with-users.ts';
import { noteRotation, type RotationReason } from './outbox.ts';
import { type Grace, replacedBy, retire, revoke } from './states.ts';
import { writeStates } from './write.ts';

/** Whose secrets: those of some names, or of all users; of these only who has no active secret younger than an age in ms. */
export interface Whose {
  names: string[] | 'all';
  olderThanMs: ((user: UserRecord) => number | null) | null;
}

/** Why a secret is closed that was replaced so. */
const EMERGENCY = 'replaced in an emergency';

/** How the secrets before go: with a grace, or at once. */
export type How = Grace | 'emergency';

export interface Rotated {
  user: User;
  /** Id of the new secret. */
  fresh: string;
  /** What went before it, as it is now. */
  before: SecretRecord[];
}

export interface Rotation {
  id: string;
  rotated: Rotated[];
}

/** Whose secrets a rotation would replace now. */
export async function planRotation(files: UserFiles, whose: Whose, now: number): Promise<UserRecord[]> {
  return withUsers(files, async (ledger) => chosen(ledger, whose, now));
}

/**
 * Give users a new secret in place of those they have: all of them, or where anything fails none. Nobody is an empty list. That
 * the hook is to be told is noted in the same change.
 */
export async function rotateSecrets(
  files: UserFiles,
  whose: Whose,
  how: How,
  reason: RotationReason,
  sources: UserSources = SYSTEM,
): Promise<Rotation> {
  const now = sources.now().getTime();
  const id = sources.random(8).toString('hex');
  return withUsers(files, async (ledger) => {
    const rotated = await changeLedger(ledger, async (change) => {
      const users = await chosen(change, whose, now);
      const sealing = await openSealing(change, files, sources);
      await refuseOverflow(change, users.length);
      const changes = users.map((user) => ({ user, fresh: makeUserSecret(undefined, sources) }));
      for (const { user, fresh } of changes) {
        const pairs = user.secrets.map((secret): [SecretRecord, SecretRecord] => [
          secret,
          how === 'emergency' ? revoke(secret, now, EMERGENCY) : retire(secret, how, now),
        ]);
        refuseCrowd(user.name, [...pairs.map(([, after]) => after), fresh]);
        await writeStates(change, pairs);
        await insertSecrets(change, { id: user.id, secrets: [fresh] }, sealing);
      }
      const secrets = changes.map(({ fresh }) => fresh.id);
      await noteRotation(change, { id, reason, rotatedAt: now }, secrets);
      return changes;
    });
    return { id, rotated: await readBack(ledger, files, rotated, now) };
  });
}

async function readBack(
  ledger: Ledger,
  files: UserFiles,
  rotated: { user: UserRecord; fresh: { id: string; key: string } }[],
  now: number,
): Promise<Rotated[]> {
  const which = { ids: rotated.map(({ user }) => user.id) };
  const kept = new Map((await openUsers(ledger, files, which)).map((user) => [user.id, user]));
  // Without keys: this is printed, and old ones may still be accepted.
  const records = new Map((await selectUsers(ledger, which)).map((found) => [found.row.id, toRecord(found)]));
  return rotated.map(({ user: { id, name }, fresh }) => {
    const user = kept.get(id);
    if (user?.secrets.find((secret) => secret.id === fresh.id)?.key !== fresh.key) throw notKept(files, name);
    const record = records.get(id) ?? user;
    return { user, fresh: fresh.id, before: replacedBy(record, fresh.id, now) };
  });
}

async function chosen(ledger: Ledger, { names, olderThanMs }: Whose, now: number): Promise<UserRecord[]> {
  const users: UserRecord[] = [];
  if (names === 'all') users.push(...(await selectWithin(ledger, 'all')).map(toRecord).filter(hasAccepted));
  else for (const name of new Set(names.map(foldName))) users.push(await recordOf(ledger, name));
  return olderThanMs === null ? users : users.filter((user) => isDue(user, olderThanMs(user), now));
}

function hasAccepted({ secrets }: UserRecord): boolean {
  return secrets.some(isAccepted);
}

/** Whether the newest active secret is as old as that; a user without one has nothing to replace. */
export function isDue({ secrets }: UserRecord, ageMs: number | null, now: number): boolean {
  const active = secrets.filter(({ state }) => state === 'active');
  if (ageMs === null || active.length === 0) return false;
  return now - Math.max(...active.map(({ createdAt }) => createdAt)) >= ageMs;
}

import { MtpError } from '../errors.ts';
import type { Sealing } from '../keyring/sealing.ts';
import type { Ledger } from '../ledger/open.ts';
import type { NewSecretRow } from '../ledger/schema.ts';
import { refuseOverflow } from './room.ts';
import { toSecretRow, toSecretState, toUserRow } from './rows.ts';
import type { User, UserRecord } from './user.ts';

/** Few enough rows that SQLite takes their values at once, and that others get a turn in between. */
const ROWS_AT_ONCE = 200;

/** Write new users, within a change; a key that somebody has, or more than a proxy can serve, is an error. */
export async function insertUsers(change: Ledger, users: User[], sealing: Sealing): Promise<void> {
  await refuseOverflow(change, rowsOf(users));
  for (let at = 0; at < users.length; at += ROWS_AT_ONCE) {
    const some = users.slice(at, at + ROWS_AT_ONCE);
    await change.insertInto('users').values(some.map(toUserRow)).execute();
    const tags = some.flatMap(({ id, tags: own }) => own.map((tag) => ({ user_id: id, tag })));
    if (tags.length > 0) await change.insertInto('user_tags').values(tags).execute();
    await refuseKeys(change, some, sealing);
    const secrets = await Promise.all(some.map(async (user) => secretRows(user, sealing)));
    if (secrets.flat().length > 0) await change.insertInto('secrets').values(secrets.flat()).execute();
  }
}

/** What users take of the room that there is. */
export function rowsOf(users: Pick<User, 'secrets'>[]): number {
  return users.reduce((sum, { secrets }) => sum + 1 + secrets.length, 0);
}

/** Write more secrets of a user, within a change; a key that somebody has is an error. */
export async function insertSecrets(
  change: Ledger,
  user: Pick<User, 'id' | 'secrets'>,
  sealing: Sealing,
): Promise<void> {
  await refuseKeys(change, [user], sealing);
  await change
    .insertInto('secrets')
    .values(await secretRows(user, sealing))
    .execute();
}

/** Write a user who is there as they are to be, within a change; secrets are the same by their id, and none goes. */
export async function rewriteUser(change: Ledger, before: User, after: User, sealing: Sealing): Promise<void> {
  const known = new Map(before.secrets.map((secret) => [secret.id, secret]));
  const fresh = after.secrets.filter(({ id }) => !known.has(id));
  await refuseOverflow(change, fresh.length);
  await change.updateTable('users').set(toUserRow(after)).where('id', '=', after.id).execute();
  await writeTags(change, after);
  for (const secret of after.secrets) {
    const was = known.get(secret.id);
    if (was === undefined || was === secret) continue;
    await change.updateTable('secrets').set(toSecretState(secret)).where('id', '=', secret.id).execute();
  }
  if (fresh.length > 0) await insertSecrets(change, { id: after.id, secrets: fresh }, sealing);
}

/** Write the tags of a user anew, within a change. */
export async function writeTags(change: Ledger, { id, tags }: UserRecord): Promise<void> {
  await change.deleteFrom('user_tags').where('user_id', '=', id).execute();
  if (tags.length > 0) {
    await change
      .insertInto('user_tags')
      .values(tags.map((tag) => ({ user_id: id, tag })))
      .execute();
  }
}

/** Who has these keys, given in hex: names by key, of those that somebody has. */
export async function holdersOf(ledger: Ledger, sealing: Sealing, keys: string[]): Promise<Map<string, string>> {
  const holders = new Map<string, string>();
  for (let at = 0; at < keys.length; at += ROWS_AT_ONCE) {
    const some = new Map(
      keys
        .slice(at, at + ROWS_AT_ONCE)
        .map((key) => [sealing.fingerprint(Buffer.from(key, 'hex')).toString('hex'), key]),
    );
    const rows = await ledger
      .selectFrom('secrets')
      .innerJoin('users', 'users.id', 'secrets.user_id')
      .select(['secrets.fingerprint', 'users.label'])
      .where(
        'secrets.fingerprint',
        'in',
        [...some.keys()].map((hex) => Buffer.from(hex, 'hex')),
      )
      .execute();
    for (const { fingerprint, label } of rows) {
      holders.set(some.get(Buffer.from(fingerprint).toString('hex')) as string, label);
    }
  }
  return holders;
}

async function refuseKeys(change: Ledger, users: Pick<User, 'secrets'>[], sealing: Sealing): Promise<void> {
  const keys = users.flatMap(({ secrets }) => secrets.map(({ key }) => key));
  const [holder] = (await holdersOf(change, sealing, keys)).values();
  if (holder === undefined) return;
  throw new MtpError('KEY_EXISTS', `${holder} already has this secret`, {
    hint: 'Give everybody a secret of their own.',
  });
}

async function secretRows({ id, secrets }: Pick<User, 'id' | 'secrets'>, sealing: Sealing): Promise<NewSecretRow[]> {
  return Promise.all(
    secrets.map(async (secret) =>
      toSecretRow(id, secret, await sealing.seal(secret.id, Buffer.from(secret.key, 'hex'))),
    ),
  );
}

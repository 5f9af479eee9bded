import { MtpError } from '../errors.ts';
import type { Sealing } from '../keyring/sealing.ts';
import type { Ledger } from '../ledger/open.ts';
import type { NewSecretRow } from '../ledger/schema.ts';
import { toSecretRow, toUserRow } from './rows.ts';
import type { User } from './user.ts';

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

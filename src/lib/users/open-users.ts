import { keyringMissing, keyringWrong, type Keyring, readKeyring } from '../keyring/keyring.ts';
import { covers, openSecret } from '../keyring/sealing.ts';
import type { Ledger } from '../ledger/open.ts';
import type { UserFiles } from './files.ts';
import { fromSecretRow, fromUserRow } from './rows.ts';
import { type Found, selectUsers, selectWithin, type Which } from './select.ts';
import type { User, UserRecord, UserSecret } from './user.ts';

/** Users as the ledger has them, with their keys. */
export async function openUsers(ledger: Ledger, files: UserFiles, which: Which): Promise<User[]> {
  const { found, keyring } = await selectWithKeys(async () => selectUsers(ledger, which), files);
  return openAll(found, keyring, files);
}

/** As `openUsers`, inside a transaction that is under way. */
export async function openWithin(change: Ledger, files: UserFiles, which: Which): Promise<User[]> {
  const { found, keyring } = await selectWithKeys(async () => selectWithin(change, which), files);
  return openAll(found, keyring, files);
}

/**
 * Users, and a keyring that opens all their secrets. A rotation changes one, then the other; whoever reads the older of the
 * two meanwhile reads again.
 */
async function selectWithKeys(
  select: () => Promise<Found[]>,
  { keyringFile }: UserFiles,
): Promise<{ found: Found[]; keyring: Keyring | undefined }> {
  for (let left = 3; ; left--) {
    const found = await select();
    const keyring = await readKeyring(keyringFile);
    const secrets = found.flatMap((user) => user.secrets);
    if (secrets.length === 0 || (keyring !== undefined && covers(keyring, secrets))) return { found, keyring };
    if (left === 0) throw keyring === undefined ? keyringMissing(keyringFile) : keyringWrong(keyringFile);
  }
}

async function openAll(found: readonly Found[], keyring: Keyring | undefined, files: UserFiles): Promise<User[]> {
  const users: User[] = [];
  for (const one of found) users.push(await openFound(one, keyring, files));
  return users;
}

/** A user with their keys, opened with a keyring that covers all of them. */
export async function openFound(
  { row, tags, secrets }: Found,
  keyring: Keyring | undefined,
  files: UserFiles,
): Promise<User> {
  const where = { name: row.label, file: files.ledgerFile };
  const opened: UserSecret[] = [];
  for (const secret of secrets) {
    const key = await openSecret(keyring as Keyring, secret, where);
    opened.push({ ...fromSecretRow(secret), key: key.toString('hex') });
  }
  return fromUserRow(row, tags, opened);
}

export function toRecord({ row, tags, secrets }: Found): UserRecord {
  return fromUserRow(row, tags, secrets.map(fromSecretRow));
}

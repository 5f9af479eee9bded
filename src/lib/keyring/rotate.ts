import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { EXIT, MtpError } from '../errors.ts';
import { changeLedger, type Ledger } from '../ledger/open.ts';
import { withLock } from '../system/lock.ts';
import type { UserFiles } from '../users/files.ts';
import { withUsers } from '../users/with-users.ts';
import type { Algorithm } from './algorithms.ts';
import {
  type KeyEntry,
  keyringMissing,
  keyringWrong,
  type Keyring,
  makeKey,
  readKeyring,
  writeKeyring,
} from './keyring.ts';
import { openSecret, sealingKeyId, sealingWith, setSealingKey } from './sealing.ts';

/** Called between steps; tests end the process there. */
export type Between = (step: 'key-added' | 'resealed' | 'committed' | 'verified' | 'dropped') => void;

export interface Rotation {
  /** The key in force now, and the one before. */
  key: Pick<KeyEntry, 'id' | 'algorithm'>;
  before: Pick<KeyEntry, 'id' | 'algorithm'> | null;
  /** Secrets that were sealed anew, opened again and compared. */
  secrets: number;
  /** An earlier rotation was cut off, and this one finished it. */
  resumed: boolean;
}

/**
 * Seal every secret under a new key. The new key is in the keyring before the first record uses it, all records change in
 * one transaction, and the old key leaves the keyring after every record was opened with the new one alone. Cut off anywhere,
 * everything still opens, and the next call goes on from there.
 */
export async function rotateKeys(
  files: UserFiles,
  algorithm?: Algorithm,
  between: Between = () => undefined,
): Promise<Rotation> {
  return withUsers(files, async (ledger) =>
    withLock(`${files.keyringFile}.lock`, async () => {
      const first = await rotateOnce(ledger, files, algorithm, between);
      // What was cut off may have been on its way to another algorithm than the one that is wanted now.
      const done = !first.resumed || algorithm === undefined || first.key.algorithm === algorithm;
      return done ? first : rotateOnce(ledger, files, algorithm, between);
    }),
  );
}

async function rotateOnce(
  ledger: Ledger,
  files: UserFiles,
  algorithm: Algorithm | undefined,
  between: Between,
): Promise<Rotation> {
  const { keyring, inForce } = await requireKeyring(ledger, files);
  const last = keyring.at(-1) as KeyEntry;
  const resumed = keyring.length > 1;
  const key = resumed ? last : makeKey(randomBytes, new Date(), algorithm ?? inForce.algorithm);
  const both = [...new Set([...keyring, key])] as Keyring;
  if (!resumed) await writeKeyring(files.keyringFile, both);
  between('key-added');
  if (inForce !== key) await reseal(ledger, files, both, key, between);
  between('committed');
  const secrets = await openAll(ledger, files, [key]);
  between('verified');
  await writeKeyring(files.keyringFile, [key]);
  // What was sealed under the old key is still in the log of the database.
  await sql`pragma wal_checkpoint(truncate)`.execute(ledger);
  between('dropped');
  const before = inForce === key ? null : { id: inForce.id, algorithm: inForce.algorithm };
  return { key: { id: key.id, algorithm: key.algorithm }, before, secrets, resumed };
}

async function reseal(
  ledger: Ledger,
  files: UserFiles,
  keyring: Keyring,
  key: KeyEntry,
  between: Between,
): Promise<void> {
  const sealing = sealingWith(key, randomBytes);
  await changeLedger(ledger, async (change) => {
    for (const { id, label, sealed } of await sealedSecrets(change)) {
      const plain = await openSecret(keyring, { id, sealed }, { name: label, file: files.ledgerFile });
      await change
        .updateTable('secrets')
        .set(await sealing.seal(id, plain))
        .where('id', '=', id)
        .execute();
    }
    await setSealingKey(change, key.id);
    between('resealed');
  });
}

/** Open every secret with these keys alone; returns how many there are. One that does not open is an error. */
export async function openAll(ledger: Ledger, files: UserFiles, keyring: Keyring): Promise<number> {
  const secrets = await sealedSecrets(ledger);
  for (const { label, ...secret } of secrets)
    await openSecret(keyring, secret, { name: label, file: files.ledgerFile });
  return secrets.length;
}

/** The keyring of an installation that has secrets, and the entry of it that seals them. */
export async function requireKeyring(
  ledger: Ledger,
  { keyringFile }: UserFiles,
): Promise<{ keyring: Keyring; inForce: KeyEntry }> {
  const id = await sealingKeyId(ledger);
  if (id === undefined) {
    throw new MtpError('NO_USERS', 'there is no secret yet, and so no key that seals one', {
      exit: EXIT.precondition,
      hint: 'Add somebody with: mtp user add NAME',
    });
  }
  const keyring = await readKeyring(keyringFile);
  if (keyring === undefined) throw keyringMissing(keyringFile);
  const inForce = keyring.find((entry) => entry.id === id);
  if (inForce === undefined) throw keyringWrong(keyringFile);
  return { keyring, inForce };
}

async function sealedSecrets(ledger: Ledger): Promise<{ id: string; label: string; sealed: Uint8Array }[]> {
  return ledger
    .selectFrom('secrets')
    .innerJoin('users', 'users.id', 'secrets.user_id')
    .select(['secrets.id', 'users.label', 'secrets.sealed'])
    .orderBy('secrets.seq')
    .execute();
}

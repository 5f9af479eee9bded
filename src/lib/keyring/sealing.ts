import {
  type KeyEntry,
  keyringMissing,
  keyringWrong,
  type Keyring,
  makeKey,
  readKeyring,
  recordDamaged,
  writeKeyring,
} from './keyring.ts';
import { fingerprinter, keyIdOf, seal, type SealingKey, unseal } from './seal.ts';
import type { Ledger } from '../ledger/open.ts';
import type { NewSecretRow, SecretRow } from '../ledger/schema.ts';
import type { Paths } from '../system/paths.ts';

/** What seals secrets inside the ledger: the keyring, and the ledger's word on which of its keys is in force. */

const PURPOSE = 'secret';
const META_KEY = 'sealing_key';

export interface Sealing {
  /** The sealed form and the fingerprint of a key of 16 bytes, as columns. */
  seal: (id: string, key: Buffer) => Promise<Pick<NewSecretRow, 'sealed' | 'fingerprint'>>;
  fingerprint: (key: Buffer) => Buffer;
}

/** Id of the key that every secret is sealed under; undefined before the first secret. */
export async function sealingKeyId(ledger: Ledger): Promise<string | undefined> {
  const row = await ledger.selectFrom('meta').select('value').where('key', '=', META_KEY).executeTakeFirst();
  return row?.value;
}

/** Name the key in force, within a change. */
export async function setSealingKey(ledger: Ledger, id: string): Promise<void> {
  await ledger
    .insertInto('meta')
    .values({ key: META_KEY, value: id })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: id }))
    .execute();
}

/** The means to seal, within a change. The first one ever makes the keyring; afterwards one that is missing is an error. */
export async function openSealing(
  ledger: Ledger,
  { keyringFile }: Pick<Paths, 'keyringFile'>,
  sources: { random: (bytes: number) => Buffer; now: () => Date },
): Promise<Sealing> {
  const id = await sealingKeyId(ledger);
  const keyring = await readKeyring(keyringFile);
  if (id === undefined) {
    const made = keyring ?? [makeKey(sources.random, sources.now())];
    if (keyring === undefined) await writeKeyring(keyringFile, made);
    const key = made.at(-1) as KeyEntry;
    await setSealingKey(ledger, key.id);
    return sealingWith(key, sources.random);
  }
  if (keyring === undefined) throw keyringMissing(keyringFile);
  const key = keyring.find((entry) => entry.id === id);
  if (key === undefined) throw keyringWrong(keyringFile);
  return sealingWith(key, sources.random);
}

export function sealingWith(key: SealingKey, random: (bytes: number) => Buffer): Sealing {
  const fingerprint = fingerprinter(key);
  return {
    seal: async (id, secret) => ({
      sealed: await seal(key, { purpose: PURPOSE, id }, secret, random),
      fingerprint: fingerprint(secret),
    }),
    fingerprint,
  };
}

/** Whether every one of these secrets is sealed under a key of this keyring. */
export function covers(keyring: Keyring, secrets: Pick<SecretRow, 'sealed'>[]): boolean {
  const known = new Set(keyring.map(({ id }) => id));
  return secrets.every(({ sealed }) => known.has(keyIdOf(Buffer.from(sealed))));
}

/** The key of a secret, 16 bytes; `name` and `file` are for the error where it cannot be opened. */
export async function openSecret(
  keyring: Keyring,
  { id, sealed }: Pick<SecretRow, 'id' | 'sealed'>,
  { name, file }: { name: string; file: string },
): Promise<Buffer> {
  const blob = Buffer.from(sealed);
  const key = keyring.find((entry) => entry.id === keyIdOf(blob));
  const opened = key === undefined ? null : await unseal(key, { purpose: PURPOSE, id }, blob);
  if (opened === null) throw recordDamaged(file, name);
  return opened;
}

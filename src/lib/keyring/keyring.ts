import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { errnoCode, EXIT, MtpError } from '../errors.ts';
import { ensureDirectory, fileError, writeAtomic } from '../system/files.ts';
import { z } from '../system/zod.ts';
import { type Algorithm, ALGORITHMS } from './algorithms.ts';
import type { SealingKey } from './seal.ts';

const DEFAULT_ALGORITHM: Algorithm = 'aes-256-gcm';
const MATERIAL_BYTES = 32;
const OTHERS_MAY_READ = 0o044;
const RESTORE = 'mtp leaves everything as it is. Put the copy of your keyring back, as docs/keyring.md says.';

/** An entry with the time at which it was made, ISO 8601. */
export interface KeyEntry extends SealingKey {
  createdAt: string;
}

/** The keys that records may be sealed under, the oldest first: one, or two while a rotation is under way. */
export type Keyring = [KeyEntry, ...KeyEntry[]];

const fileSchema = z.strictObject({
  version: z.literal(1, 'must be 1, the only one that this version of mtp knows'),
  keys: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[0-9a-f]{16}$/, 'must be 16 hex digits'),
        algorithm: z.enum(ALGORITHMS),
        createdAt: z.iso.datetime(),
        key: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits'),
      }),
    )
    .min(1),
});

/** The keyring in a file; undefined when there is no file. One that cannot be used is an error and stays as it is. */
export async function readKeyring(file: string): Promise<Keyring | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw fileError('read', file, error);
  }
  const { data, error } = fileSchema.safeParse(asJson(text));
  if (data === undefined) {
    const [issue] = error.issues;
    const at = issue?.path.join('.') ?? '';
    // Messages of the schema quote names and rules, never what is in the file.
    throw refused('KEYRING_DAMAGED', `cannot use ${file}: ${at === '' ? 'it' : at}: ${issue?.message ?? 'is damaged'}`);
  }
  const keys = data.keys.map(({ key, ...entry }) => ({ ...entry, material: Buffer.from(key, 'hex') }));
  return keys as Keyring;
}

/** Write the keyring in one piece, for its owner only. */
export async function writeKeyring(file: string, keyring: Keyring): Promise<void> {
  await ensureDirectory(path.dirname(file));
  const keys = keyring.map(({ material, ...entry }) => ({ ...entry, key: material.toString('hex') }));
  await writeAtomic(file, `${JSON.stringify({ version: 1, keys }, null, 2)}\n`);
}

/** A fresh key; `random` is a cryptographic source. */
export function makeKey(random: (bytes: number) => Buffer, now: Date, algorithm = DEFAULT_ALGORITHM): KeyEntry {
  return { id: random(8).toString('hex'), algorithm, createdAt: now.toISOString(), material: random(MATERIAL_BYTES) };
}

/** What the operator should know about the file, if anything. */
export async function exposure(file: string): Promise<string[]> {
  const mode = await stat(file).then(
    (found) => found.mode,
    () => 0,
  );
  return (mode & OTHERS_MAY_READ) === 0 ? [] : [`Other users can read ${file}; run: chmod 600 ${file}`];
}

export function keyringMissing(file: string): MtpError {
  return refused('KEYRING_MISSING', `${file} is missing, and the secrets are sealed under its keys`);
}

export function keyringWrong(file: string): MtpError {
  return refused('KEYRING_WRONG', `${file} does not hold the key that the secrets are sealed under`);
}

export function recordDamaged(ledger: string, name: string): MtpError {
  return refused(
    'SECRET_DAMAGED',
    `a secret of ${name} in ${ledger} cannot be opened: it was changed, or the key is another`,
  );
}

function refused(code: string, message: string): MtpError {
  return new MtpError(code, message, { exit: EXIT.precondition, hint: RESTORE });
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';
import { type Algorithm, CIPHERS } from './algorithms.ts';

/**
 * Sealed records (docs/keyring.md): a header, the ciphertext and its tag of 16 bytes. Every record has a key of its own, by
 * HKDF-SHA256 (RFC 5869) from the key of the keyring and the salt in the header; what a record is for and which one it is
 * are authenticated with the header, so that none can stand in for another.
 *
 *   version 1 · algorithm 1 · key id 8 · salt 16 · nonce 12 or 24
 */
const VERSION = 1;
const KEY_ID_AT = 2;
const SALT_AT = 10;
const NONCE_AT = 26;
const SALT_BYTES = 16;

/** An entry of the keyring. */
export interface SealingKey {
  /** 16 hex digits. */
  id: string;
  algorithm: Algorithm;
  /** 32 random bytes; never used as they are. */
  material: Buffer;
}

/** What a sealed record is: its purpose, such as `secret`, and which one. */
export interface RecordName {
  purpose: string;
  id: string;
}

type Random = (bytes: number) => Buffer;

/** Seal `plain` under a key as the record of that name; `random` is a cryptographic source. */
export async function seal(key: SealingKey, name: RecordName, plain: Buffer, random: Random): Promise<Buffer> {
  const cipher = CIPHERS[key.algorithm];
  const [salt, nonce] = [random(SALT_BYTES), random(cipher.nonceBytes)];
  const header = Buffer.concat([Buffer.from([VERSION, cipher.number]), Buffer.from(key.id, 'hex'), salt, nonce]);
  const sealed = await cipher.encrypt(subkey(key, salt), nonce, authenticated(header, name), plain);
  return Buffer.concat([header, sealed]);
}

/** What was sealed under this key as the record of that name; null where anything does not fit. */
export async function unseal(key: SealingKey, name: RecordName, blob: Buffer): Promise<Buffer | null> {
  const cipher = CIPHERS[key.algorithm];
  const end = NONCE_AT + cipher.nonceBytes;
  if (blob.length < end || blob[0] !== VERSION || blob[1] !== cipher.number || keyIdOf(blob) !== key.id) return null;
  const header = blob.subarray(0, end);
  const salt = header.subarray(SALT_AT, NONCE_AT);
  return cipher.decrypt(subkey(key, salt), header.subarray(NONCE_AT), authenticated(header, name), blob.subarray(end));
}

/** The id of the key that a blob says it is sealed under, 16 hex digits; shorter where it is cut off. */
export function keyIdOf(blob: Buffer): string {
  return blob.toString('hex', KEY_ID_AT, SALT_AT);
}

/** Keyed hashes of secrets, 32 bytes: equal secrets have equal ones, and nobody without the keyring can try secrets out. */
export function fingerprinter({ material }: SealingKey): (secret: Buffer) => Buffer {
  const key = createSecretKey(derive(material, '', 'mtp fingerprint v1', 32));
  return (secret) => createHmac('sha256', key).update(secret).digest();
}

function subkey({ algorithm, material }: SealingKey, salt: Buffer): Buffer {
  return derive(material, salt, `mtp seal v1 ${algorithm}`, CIPHERS[algorithm].keyBytes);
}

/** From a key object: of the bytes of a key Node 24 first finds out at length that they are none. */
function derive(material: Buffer, salt: Buffer | string, info: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', createSecretKey(material), salt, info, bytes));
}

/** Lengths first, so that no two names read the same. */
function authenticated(header: Buffer, { purpose, id }: RecordName): Buffer {
  const parts = [purpose, id].flatMap((text) => {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat([header, ...parts]);
}

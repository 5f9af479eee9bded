import { hash } from 'node:crypto';

/** HMAC-SHA-256 (RFC 2104), for trying many keys on one message: `createHmac` would import each key first. */

/** Bytes before a message that the calculation needs for itself. */
export const HMAC_ROOM = 64;
const DIGEST_BYTES = 32;
const INNER = 0x36;
const OUTER = 0x5c;

const outer = Buffer.alloc(HMAC_ROOM + DIGEST_BYTES);

/** `padded` is `HMAC_ROOM` bytes, which are written over, and the message; `key` has at most 64 bytes. Returns 32 bytes. */
export function hmacSha256(padded: Buffer, key: Uint8Array): Buffer {
  pad(padded, key, INNER);
  pad(outer, key, OUTER);
  hash('sha256', padded, 'buffer').copy(outer, HMAC_ROOM);
  return hash('sha256', outer, 'buffer');
}

function pad(out: Buffer, key: Uint8Array, value: number): void {
  for (let at = 0; at < key.length; at++) out[at] = (key[at] as number) ^ value;
  out.fill(value, key.length, HMAC_ROOM);
}

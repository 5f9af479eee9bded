import { createHmac, type KeyObject } from 'node:crypto';
import type { Hello } from './client-hello.ts';
import { RECORD_HEADER } from './tls-record.ts';

/** The one write that answers an authenticated hello: ServerHello, CCS, one record of random bytes (protocol.md §3.5). */

export const X25519 = 0x001d;
export const X25519_MLKEM768 = 0x11ec;
/** Bytes of an ML-KEM-768 ciphertext; any bytes of this length are one. */
export const MLKEM_CIPHERTEXT = 1088;

const RANDOM_AT = 11;
const CHANGE_CIPHER_SPEC = Buffer.from([0x14, 0x03, 0x03, 0x00, 0x01, 0x01]);
const SUPPORTED_VERSIONS = Buffer.from([0x00, 0x2b, 0x00, 0x02, 0x03, 0x04]);

export interface FlightParts {
  hello: Hello;
  /** The 16-byte secret that the hello authenticated with. */
  key: KeyObject | Uint8Array;
  cipher: number;
  /** 32 bytes, a real point of the curve. */
  x25519: Uint8Array;
  /** 1,088 bytes where the answer is X25519MLKEM768; null for x25519. */
  mlkem: Uint8Array | null;
  /** Payload of the application-data record, random. */
  body: Uint8Array;
}

export function serverFlight({ hello, key, cipher, x25519, mlkem, body }: FlightParts): Buffer {
  const share = mlkem === null ? Buffer.from(x25519) : Buffer.concat([mlkem, x25519]);
  const keyShare = Buffer.concat([
    u16(0x0033, share.length + 4, mlkem === null ? X25519 : X25519_MLKEM768, share.length),
    share,
  ]);
  const message = Buffer.concat([
    u16(0x0303),
    Buffer.alloc(32),
    Buffer.from([hello.sessionId.length]),
    hello.sessionId,
    u16(cipher),
    Buffer.from([0x00]),
    u16(SUPPORTED_VERSIONS.length + keyShare.length),
    SUPPORTED_VERSIONS,
    keyShare,
  ]);
  const flight = Buffer.concat([
    Buffer.from([0x16, 0x03, 0x03]),
    u16(message.length + 4),
    Buffer.from([0x02, 0x00]),
    u16(message.length),
    message,
    CHANGE_CIPHER_SPEC,
    Buffer.from([0x17, 0x03, 0x03]),
    u16(body.length),
    body,
  ]);
  createHmac('sha256', key).update(hello.random).update(flight).digest().copy(flight, RANDOM_AT);
  return flight;
}

/** The first TLS 1.3 suite that the client offers; null when there is none, and then it is no client (protocol.md §3.5). */
export function chooseCipher(ciphers: readonly number[]): number | null {
  return ciphers.find((cipher) => cipher >= 0x1301 && cipher <= 0x1303) ?? null;
}

/**
 * Payload bytes of the one record, so that the encrypted flight is as long on the wire as the cover's (protocol.md §3.7).
 * `flightBytes` counts record headers; `jitter` is a number in [0, 1).
 */
export function bodyBytes(flightBytes: number, jitter: number): number {
  const spread = Math.floor(jitter * 5) - 2;
  return Math.min(16384, Math.max(1000, flightBytes - RECORD_HEADER + spread));
}

function u16(...values: number[]): Buffer {
  const out = Buffer.alloc(values.length * 2);
  values.forEach((value, index) => out.writeUInt16BE(value, index * 2));
  return out;
}

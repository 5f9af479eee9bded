import type { Hello } from './client-hello.ts';
import { HMAC_ROOM, hmacSha256 } from './hmac.ts';
import { RECORD_HEADER, RECORD_PAYLOAD } from './tls-record.ts';

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
  key: Uint8Array;
  cipher: number;
  /** 32 bytes, a real point of the curve. */
  x25519: Uint8Array;
  /** 1,088 bytes where the answer is X25519MLKEM768; null for x25519. */
  mlkem: Uint8Array | null;
  /** Payload of the application-data record, random. */
  body: Uint8Array;
}

/** Where the flight begins in its buffer: after the room of the HMAC and the client's random, which it covers too. */
const FLIGHT_AT = HMAC_ROOM + 32;
/** Bytes that the buffer of a flight needs. */
export const FLIGHT_BUFFER =
  FLIGHT_AT + 128 + 32 + MLKEM_CIPHERTEXT + CHANGE_CIPHER_SPEC.length + RECORD_HEADER + RECORD_PAYLOAD;

/** Write the flight into `out`, of `FLIGHT_BUFFER` bytes; returns the part of it that it takes. */
export function serverFlight({ hello, key, cipher, x25519, mlkem, body }: FlightParts, out: Buffer): Buffer {
  const share = (mlkem?.length ?? 0) + x25519.length;
  const extensions = SUPPORTED_VERSIONS.length + 8 + share;
  const message = 2 + 32 + 1 + hello.sessionId.length + 2 + 1 + 2 + extensions;
  let at = put(hello.random, out, HMAC_ROOM);
  at = out.writeUIntBE(0x160303, at, 3);
  at = out.writeUInt16BE(message + 4, at);
  at = out.writeUInt32BE(0x02000000 + message, at);
  at = out.writeUInt16BE(0x0303, at);
  out.fill(0, at, at + 32);
  at = out.writeUInt8(hello.sessionId.length, at + 32);
  at = put(hello.sessionId, out, at);
  at = out.writeUInt16BE(cipher, at);
  at = out.writeUInt8(0, at);
  at = out.writeUInt16BE(extensions, at);
  at = put(SUPPORTED_VERSIONS, out, at);
  at = out.writeUInt16BE(0x0033, at);
  at = out.writeUInt16BE(share + 4, at);
  at = out.writeUInt16BE(mlkem === null ? X25519 : X25519_MLKEM768, at);
  at = out.writeUInt16BE(share, at);
  if (mlkem !== null) at = put(mlkem, out, at);
  at = put(x25519, out, at);
  at = put(CHANGE_CIPHER_SPEC, out, at);
  at = out.writeUIntBE(0x170303, at, 3);
  at = out.writeUInt16BE(body.length, at);
  at = put(body, out, at);
  hmacSha256(out.subarray(0, at), key).copy(out, FLIGHT_AT + RANDOM_AT);
  return out.subarray(FLIGHT_AT, at);
}

/** Copy `bytes` to `at`; returns where they end. */
function put(bytes: Uint8Array, out: Buffer, at: number): number {
  out.set(bytes, at);
  return at + bytes.length;
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
  return Math.min(RECORD_PAYLOAD, Math.max(1000, flightBytes - RECORD_HEADER + spread));
}

import { timingSafeEqual } from 'node:crypto';
import { HMAC_ROOM, hmacSha256 } from './hmac.ts';
import { RECORD_HEADER, RECORD_PAYLOAD } from './tls-record.ts';

/** The ClientHello of fake-TLS: collected from any split, authenticated by its random, read as hints (protocol.md §3.1-3.4). */

const HANDSHAKE_RECORD = 0x16;
const HANDSHAKE_HEADER = 4;
/** A client cuts its hello into a handful of records at most; more is not a client. */
const MAX_RECORDS = 16;
const RANDOM_AT = 11;
const RANDOM_END = 43;
/** Shortest hello that has a random and a session id length. */
const MIN_HELLO = 44;

export type Collected =
  | { state: 'incomplete' }
  /** Not a ClientHello, or one that no client of ours would send. */
  | { state: 'foreign' }
  /** `record` is the hello as one record, `consumed` the bytes of the stream that it took. */
  | { state: 'complete'; record: Buffer; consumed: number };

const INCOMPLETE: Collected = { state: 'incomplete' };
const FOREIGN: Collected = { state: 'foreign' };

/**
 * Look for a whole ClientHello at the start of `data`. A hello split over several records is rebuilt as one with the header
 * `16 03 01` and the total length, which is what its HMAC covers (protocol.md §3.4). In the plain case `record` is a view.
 */
export function collectHello(data: Buffer): Collected {
  const fragments: Buffer[] = [];
  let at = 0;
  let have = 0;
  for (let records = 0; records < MAX_RECORDS; records++) {
    const header = readRecordHeader(data, at);
    if (typeof header !== 'number') return header;
    const end = at + RECORD_HEADER + header;
    // What is there already tells foreign traffic apart before the rest has come.
    const fragment = data.subarray(at + RECORD_HEADER, end);
    fragments.push(fragment);
    have += fragment.length;
    const message = fragments.length === 1 ? fragment : Buffer.concat(fragments);
    if (message.length > 0 && message[0] !== 0x01) return FOREIGN;
    if (have >= HANDSHAKE_HEADER && message.readUIntBE(1, 3) + HANDSHAKE_HEADER > RECORD_PAYLOAD) return FOREIGN;
    if (data.length < end) return INCOMPLETE;
    if (have >= HANDSHAKE_HEADER && have >= message.readUIntBE(1, 3) + HANDSHAKE_HEADER) {
      const record = fragments.length === 1 ? data.subarray(at, end) : rebuild(message);
      return record.length < MIN_HELLO ? FOREIGN : { state: 'complete', record, consumed: end };
    }
    at = end;
  }
  return FOREIGN;
}

/** Payload length of the handshake record at `at`, or why there is none. */
function readRecordHeader(data: Buffer, at: number): number | Collected {
  const seen = data.subarray(at, at + RECORD_HEADER);
  if ((seen.length > 0 && seen[0] !== HANDSHAKE_RECORD) || (seen.length > 1 && seen[1] !== 0x03)) return FOREIGN;
  if (seen.length < RECORD_HEADER) return INCOMPLETE;
  const length = seen.readUInt16BE(3);
  return length === 0 || length > RECORD_PAYLOAD ? FOREIGN : length;
}

function rebuild(message: Buffer): Buffer {
  const record = Buffer.alloc(RECORD_HEADER + message.length);
  record.writeUIntBE(0x160301, 0, 3);
  record.writeUInt16BE(message.length, 3);
  message.copy(record, RECORD_HEADER);
  return record;
}

export interface Hello {
  record: Buffer;
  /** As received, 32 bytes. */
  random: Buffer;
  /** What the HMAC covers, after its room: the record with its random zeroed. */
  signed: Buffer;
  /** 0 to 32 bytes. */
  sessionId: Buffer;
  ciphers: number[];
  /** Lower case; null where there is none or the extension list does not add up, which some clients send (§3.3). */
  sni: string | null;
  /** Groups of the key shares offered. */
  groups: number[];
}

const SERVER_NAME = 0;
const KEY_SHARE = 51;

/** Read what a complete hello says. Only random and session id are sure; the rest is as far as it can be read. */
export function readHello(record: Buffer): Hello | null {
  const sessionIdEnd = MIN_HELLO + (record[RANDOM_END] as number);
  if (sessionIdEnd > record.length || sessionIdEnd > MIN_HELLO + 32) return null;
  const signed = Buffer.allocUnsafe(HMAC_ROOM + record.length);
  record.copy(signed, HMAC_ROOM);
  signed.fill(0, HMAC_ROOM + RANDOM_AT, HMAC_ROOM + RANDOM_END);
  const hello: Hello = {
    record,
    random: Buffer.from(record.subarray(RANDOM_AT, RANDOM_END)),
    signed,
    sessionId: Buffer.from(record.subarray(MIN_HELLO, sessionIdEnd)),
    ciphers: [],
    sni: null,
    groups: [],
  };
  const ciphersEnd = vectorEnd(record, sessionIdEnd, 2, record.length);
  if (ciphersEnd === null) return hello;
  for (let at = sessionIdEnd + 2; at + 2 <= ciphersEnd; at += 2) hello.ciphers.push(record.readUInt16BE(at));
  const compressionEnd = vectorEnd(record, ciphersEnd, 1, record.length);
  const extensionsEnd = compressionEnd === null ? null : vectorEnd(record, compressionEnd, 2, record.length);
  if (compressionEnd === null || extensionsEnd === null) return hello;
  for (let at = compressionEnd + 2; at + 4 <= extensionsEnd;) {
    const end = vectorEnd(record, at + 2, 2, extensionsEnd);
    if (end === null) break;
    const body = record.subarray(at + 4, end);
    const type = record.readUInt16BE(at);
    if (type === SERVER_NAME) hello.sni = readServerName(body);
    if (type === KEY_SHARE) hello.groups = readGroups(body);
    at = end;
  }
  return hello;
}

/** End of a vector whose length of `width` bytes stands at `at`; null when it does not fit before `limit`. */
function vectorEnd(data: Buffer, at: number, width: 1 | 2, limit: number): number | null {
  if (at + width > limit) return null;
  const end = at + width + data.readUIntBE(at, width);
  return end > limit ? null : end;
}

/** The first host name of a server_name extension (RFC 6066 §3). */
function readServerName(body: Buffer): string | null {
  if (body.length < 5 || body[2] !== 0) return null;
  const end = vectorEnd(body, 3, 2, body.length);
  return end === null ? null : body.toString('latin1', 5, end).toLowerCase();
}

/** Groups in a key_share extension (RFC 8446 §4.2.8). */
function readGroups(body: Buffer): number[] {
  const groups: number[] = [];
  for (let at = 2; at + 4 <= body.length;) {
    const end = vectorEnd(body, at + 2, 2, body.length);
    if (end === null) break;
    groups.push(body.readUInt16BE(at));
    at = end;
  }
  return groups;
}

/**
 * Unix time in seconds that the client signed into its random, or null when the HMAC is not this key's. `key` is the 16-byte
 * secret. The comparison takes the same time wherever it fails (protocol.md §3.1).
 */
export function authenticate(hello: Hello, key: Uint8Array): number | null {
  const digest = hmacSha256(hello.signed, key);
  if (!timingSafeEqual(digest.subarray(0, 28), hello.random.subarray(0, 28))) return null;
  return (digest.readUInt32LE(28) ^ hello.random.readUInt32LE(28)) >>> 0;
}

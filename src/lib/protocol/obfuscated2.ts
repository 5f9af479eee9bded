import { hash } from 'node:crypto';
import { Ctr } from './ctr.ts';

/** The obfuscated2 opening of a stream: 64 bytes that carry keys, transport and DC (protocol.md §2). */

export const HEADER_BYTES = 64;

export type Transport = 'abridged' | 'intermediate' | 'padded';

const TAGS: Readonly<Record<Transport, number>> = {
  abridged: 0xefefefef,
  intermediate: 0xeeeeeeee,
  padded: 0xdddddddd,
};
const TRANSPORT_BY_TAG = new Map(Object.entries(TAGS).map(([name, tag]) => [tag, name as Transport]));

export interface OpenedHeader {
  transport: Transport;
  /** Signed DC index as the client sent it. */
  dc: number;
  /** Client to proxy, already 64 bytes in. */
  up: Ctr;
  /** Proxy to client, at the start of its stream. */
  down: Ctr;
  /** Key and IV of `down`, 48 bytes, for the fast mode (protocol.md §6.3). */
  downKeyIv: Buffer;
}

/**
 * Read a client's header with one secret. Returns null when no known transport tag appears, which is how a wrong secret
 * looks (protocol.md §2.2). `header` is 64 bytes and is not changed; `secret` is 16 bytes, or null for the unkeyed form.
 */
export function openHeader(header: Uint8Array, secret: Uint8Array | null): OpenedHeader | null {
  const upKeyIv = Buffer.from(header.subarray(8, 56));
  const downKeyIv = Buffer.from(upKeyIv).reverse();
  const up = stream(upKeyIv, secret);
  const plain = up.apply(Buffer.from(header.subarray(0, HEADER_BYTES)));
  const transport = TRANSPORT_BY_TAG.get(plain.readUInt32LE(56));
  if (transport === undefined) {
    up.rest();
    return null;
  }
  const keyed = keyIv(downKeyIv, secret);
  const down = new Ctr(keyed);
  return { transport, dc: plain.readInt16LE(60), up, down, downKeyIv: keyed };
}

export interface HeaderOptions {
  transport: Transport;
  dc: number;
  /** Source of random bytes. */
  random: (bytes: number) => Uint8Array;
  /** 16 bytes towards a proxy; null towards a DC, which has no secret (protocol.md §6.2). */
  secret: Uint8Array | null;
  /** 48 bytes that the answering stream shall use as key and IV, so that its bytes can be passed on as they are (§6.3). */
  downKeyIv?: Uint8Array;
}

export interface MadeHeader {
  wire: Buffer;
  /** Sender to receiver, already 64 bytes in. */
  up: Ctr;
  down: Ctr;
}

/** Make the opening header of an outgoing stream, redrawn until it cannot be taken for another protocol (protocol.md §2.3). */
export function makeHeader({ transport, dc, random, secret, downKeyIv }: HeaderOptions): MadeHeader {
  const header = Buffer.alloc(HEADER_BYTES);
  do {
    header.set(random(HEADER_BYTES));
    if (downKeyIv !== undefined) header.set(Buffer.from(downKeyIv).reverse(), 8);
  } while (looksReserved(header));
  header.writeUInt32LE(TAGS[transport], 56);
  header.writeInt16LE(dc, 60);
  const upKeyIv = Buffer.from(header.subarray(8, 56));
  const up = stream(upKeyIv, secret);
  const down = stream(Buffer.from(upKeyIv).reverse(), secret);
  const encrypted = up.apply(Buffer.from(header));
  const wire = Buffer.concat([header.subarray(0, 56), encrypted.subarray(56)]);
  return { wire, up, down };
}

const RESERVED_WORDS = new Set(
  ['HEAD', 'POST', 'GET ', 'OPTI', 'PUT ']
    .map((word) => Buffer.from(word).readUInt32LE())
    .concat([0xdddddddd, 0xeeeeeeee, Buffer.from([0x16, 0x03, 0x01, 0x02]).readUInt32LE()]),
);

/** Whether the first bytes of a header belong to another protocol (protocol.md §2.3). */
export function looksReserved(header: Buffer): boolean {
  return header[0] === 0xef || RESERVED_WORDS.has(header.readUInt32LE(0)) || header.readUInt32LE(4) === 0;
}

function stream(raw: Uint8Array, secret: Uint8Array | null): Ctr {
  return new Ctr(keyIv(raw, secret));
}

/** 32 bytes of key, hashed with the secret if there is one, and 16 of IV. */
function keyIv(raw: Uint8Array, secret: Uint8Array | null): Buffer {
  if (secret === null) return Buffer.from(raw);
  const key = hash('sha256', Buffer.concat([raw.subarray(0, 32), secret]), 'buffer');
  return Buffer.concat([key, raw.subarray(32)]);
}

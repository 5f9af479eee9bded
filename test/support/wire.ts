import { type Cipher, createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/**
 * The client's and the data centre's side of the wire, written from the protocol and not from our code, so that a mistake of
 * ours does not cancel out in the tests.
 */

export type Tag = 'ef' | 'ee' | 'dd';

export interface Stream {
  encrypt: (data: Buffer) => Buffer;
  decrypt: (data: Buffer) => Buffer;
}

const ctr = (key: Buffer, iv: Buffer): Cipher => createCipheriv('aes-256-ctr', key, iv);

/** The 64-byte opening of a client; without a secret it is the one that a data centre expects. */
export function clientOpening(tag: Tag, dc: number, secret: Buffer | null): { header: Buffer; stream: Stream } {
  const header = randomBytes(64);
  header[0] = 0x5a;
  header.fill(0x77, 4, 8);
  header.fill(Number.parseInt(tag, 16), 56, 60);
  header.writeInt16LE(dc, 60);
  const { up, down } = ciphers(header, secret);
  const sealed = up.update(header);
  sealed.copy(header, 56, 56);
  return { header, stream: { encrypt: (data) => up.update(data), decrypt: (data) => down.update(data) } };
}

/** What a data centre reads from an opening. */
export function readOpening(header: Buffer): { tag: Tag; dc: number; stream: Stream } | null {
  const { up, down } = ciphers(header, null);
  const plain = up.update(header);
  const tag = plain.toString('hex', 56, 57);
  if (tag !== 'ef' && tag !== 'ee' && tag !== 'dd') return null;
  return {
    tag,
    dc: plain.readInt16LE(60),
    stream: { encrypt: (data) => down.update(data), decrypt: (data) => up.update(data) },
  };
}

function ciphers(header: Buffer, secret: Buffer | null): { up: Cipher; down: Cipher } {
  const forward = Buffer.from(header.subarray(8, 56));
  const backward = Buffer.from(forward).reverse();
  const keyOf = (part: Buffer): Buffer =>
    secret === null
      ? part
      : createHash('sha256')
          .update(Buffer.concat([part, secret]))
          .digest();
  return {
    up: ctr(keyOf(forward.subarray(0, 32)), forward.subarray(32)),
    down: ctr(keyOf(backward.subarray(0, 32)), backward.subarray(32)),
  };
}

/** A frame of the transport; padded ones carry up to 15 bytes more. */
export function frame(tag: Tag, payload: Buffer): Buffer {
  if (tag === 'ef') {
    const words = payload.length / 4;
    const head = words < 0x7f ? Buffer.from([words]) : Buffer.from([0x7f, words, words >> 8, words >> 16]);
    return Buffer.concat([head, payload]);
  }
  const padding = tag === 'dd' ? randomBytes(3) : Buffer.alloc(0);
  const head = Buffer.alloc(4);
  head.writeUInt32LE(payload.length + padding.length);
  return Buffer.concat([head, payload, padding]);
}

/** The first whole frame of `data`, or null while it is incomplete. */
export function unframe(tag: Tag, data: Buffer): { payload: Buffer; used: number } | null {
  if (data.length === 0) return null;
  const long = tag === 'ef' && data[0] === 0x7f;
  const head = tag === 'ef' && !long ? 1 : 4;
  if (data.length < head) return null;
  const length = tag === 'ef' ? 4 * (long ? data.readUIntLE(1, 3) : (data[0] ?? 0)) : data.readUInt32LE(0) & 0x7fffffff;
  return data.length < head + length ? null : { payload: data.subarray(head, head + length), used: head + length };
}

const REQ_PQ = [0x60469778, 0xbe7e8ef1];

/** An unencrypted request for a key exchange. */
export function requestPq(nonce: Buffer): Buffer {
  const message = Buffer.alloc(40);
  message.writeBigUInt64LE(BigInt(Math.floor(Date.now() / 1000)) << 32n, 8);
  message.writeUInt32LE(20, 16);
  message.writeUInt32LE(0xbe7e8ef1, 20);
  nonce.copy(message, 24);
  return message;
}

/** The nonce of a key exchange request, or null when the message is none. */
export function nonceOf(message: Buffer): Buffer | null {
  return message.length >= 40 && REQ_PQ.includes(message.readUInt32LE(20)) ? message.subarray(24, 40) : null;
}

/** resPQ with the numbers of the protocol's own example. */
export function answerPq(nonce: Buffer): Buffer {
  const body = Buffer.concat([
    Buffer.from('63241605', 'hex'),
    nonce,
    randomBytes(16),
    Buffer.from('0817ed48941a08f981000000', 'hex'),
    Buffer.from('15c4b51c01000000', 'hex'),
    randomBytes(8),
  ]);
  const head = Buffer.alloc(20);
  head.writeBigUInt64LE((BigInt(Math.floor(Date.now() / 1000)) << 32n) | 1n, 8);
  head.writeUInt32LE(body.length, 16);
  return Buffer.concat([head, body]);
}

/** Bytes that a sender and a receiver can both make, for checksums over transfers. */
export function sequence(length: number): Buffer {
  return createDecipheriv('aes-256-ctr', Buffer.alloc(32, 1), Buffer.alloc(16)).update(Buffer.alloc(length));
}

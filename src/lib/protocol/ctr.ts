import { type Cipher, createCipheriv, createSecretKey } from 'node:crypto';
import { release } from './release.ts';

const BLOCK = 16;
const KEY_BYTES = 32;
/** Keystream made ahead: the first piece, and the largest. They double, so that a rare message costs little. */
const AHEAD_FIRST = 256;
const AHEAD_MOST = 4096;
/**
 * Where key and counter stand while a stream is opened. A view of the stream's own bytes would move them out of the heap of
 * JavaScript for good.
 */
const opening = Buffer.alloc(KEY_BYTES + BLOCK);
const KEY = opening.subarray(0, KEY_BYTES);
const COUNTER = opening.subarray(KEY_BYTES);
/** Above this a cipher call is cheaper than an XOR in JavaScript (measured: 512-1024 bytes). */
const SMALL = 768;
const ZEROS = Buffer.alloc(AHEAD_MOST);
/**
 * Bytes that go through both ciphers before the next: what one has made is still in near cache for the other, and the memory
 * of the last piece is there again for this one. Measured: 2.9 GB a CPU second instead of 1.8 in one piece of 256 KiB.
 */
const PIECE = 64 * 1024;

/**
 * AES-256-CTR in place, outside of JavaScript. It names its streams by handles, which are never 0 and may go stale at any
 * time, because it holds a bounded number of streams.
 */
export interface Accelerator {
  /** The stream that begins `skip` bytes (0-15) into the block of `counter`; `key` is 32 bytes, `counter` 16. */
  open(key: Uint8Array, counter: Uint8Array, skip: number): number;
  close(handle: number): void;
  /** Encrypt or decrypt `buffer[start:start + length)`. False, and nothing has changed, when the handle is stale. */
  apply(handle: number, buffer: Uint8Array, start: number, length: number): boolean;
  /** The same through two streams. */
  recrypt(from: number, to: number, buffer: Uint8Array, start: number, length: number): boolean;
}

let accelerator: Accelerator | null = null;

/** Have the streams that this thread makes from now on use `provider`, or only `node:crypto` when that is null. */
export function accelerate(provider: Accelerator | null): void {
  accelerator = provider;
}

/**
 * One direction of AES-256-CTR that can rest: between chunks only key, IV and offset are needed, so an idle session holds no
 * cipher. Without an accelerator small chunks are XORed with keystream made ahead, which costs a tenth of a cipher call per
 * message.
 */
export class Ctr {
  readonly #accelerator = accelerator;
  /** 32 bytes of key, 16 of IV. */
  readonly #keyIv: Uint8Array;
  #offset = 0;
  /** The stream of the accelerator; 0 when none is open. */
  #handle = 0;
  #cipher: Cipher | null = null;
  #keystream: Buffer | null = null;
  #used = 0;

  /** `keyIv` is 32 bytes of key and 16 of IV, which are copied; the counter is 128 bits, big-endian (protocol.md §2.2). */
  constructor(keyIv: Uint8Array) {
    // Not a view, which would keep the whole buffer that it is cut from for as long as the session lives.
    this.#keyIv = new Uint8Array(keyIv);
  }

  /**
   * Take `buffer[0:length)` out of one stream and put it into another, as two calls of `apply` would, in place. Returns the
   * buffer.
   */
  static recrypt(from: Ctr, to: Ctr, buffer: Buffer, length: number): Buffer {
    const native = from.#accelerator;
    if (native === null || native !== to.#accelerator) {
      if (native === to.#accelerator && length > SMALL) Ctr.#recryptBulk(from, to, buffer, length);
      else buffer.set(to.apply(from.apply(buffer.subarray(0, length))));
      return buffer;
    }
    while (!native.recrypt(from.#open(native), to.#open(native), buffer, 0, length)) {
      from.rest();
      to.rest();
    }
    from.#offset += length;
    to.#offset += length;
    return buffer;
  }

  static #recryptBulk(from: Ctr, to: Ctr, buffer: Buffer, length: number): void {
    for (let at = 0; at < length; at += PIECE) {
      const plain = from.#update(buffer.subarray(at, Math.min(at + PIECE, length)));
      const sealed = to.#update(plain);
      release(plain);
      buffer.set(sealed, at);
      release(sealed);
    }
  }

  /** Bytes of keystream consumed so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Encrypt or decrypt a chunk. It is changed in place and returned, or, where that is faster, comes back as a new buffer. */
  apply(chunk: Buffer): Buffer {
    const native = this.#accelerator;
    if (native !== null) {
      while (!native.apply(this.#open(native), chunk, 0, chunk.length)) this.#handle = 0;
      this.#offset += chunk.length;
      return chunk;
    }
    if (chunk.length > SMALL) return this.#update(chunk);
    let done = 0;
    while (done < chunk.length) {
      const keystream = this.#ahead();
      const count = Math.min(chunk.length - done, keystream.length - this.#used);
      let from = this.#used;
      for (let i = done; i < done + count; i++) chunk[i] = (chunk[i] as number) ^ (keystream[from++] as number);
      this.#used = from;
      done += count;
    }
    this.#offset += chunk.length;
    return chunk;
  }

  /** This stream's handle for the accelerator that it was made with, which may go stale; 0 without one. */
  handle(): number {
    return this.#accelerator === null ? 0 : this.#open(this.#accelerator);
  }

  /** The accelerator has used the handle for `bytes` more bytes. */
  advance(bytes: number): void {
    this.#offset += bytes;
  }

  /** Drop what the stream holds; the next chunk makes it again from the offset. */
  rest(): void {
    if (this.#handle !== 0) this.#accelerator?.close(this.#handle);
    this.#handle = 0;
    this.#cipher = null;
    this.#keystream = null;
  }

  /** One cipher call, into a new buffer. */
  #update(chunk: Buffer): Buffer<ArrayBuffer> {
    if (this.#keystream !== null) this.rest();
    const out = this.#stream().update(chunk);
    this.#offset += chunk.length;
    return out;
  }

  #open(native: Accelerator): number {
    if (this.#handle === 0) {
      this.#prepare();
      this.#handle = native.open(KEY, COUNTER, this.#offset % BLOCK);
    }
    return this.#handle;
  }

  /** Put key and counter where they are read from. */
  #prepare(): void {
    opening.set(this.#keyIv);
    addTo(COUNTER, Math.floor(this.#offset / BLOCK));
  }

  #ahead(): Buffer {
    const keystream = this.#keystream;
    if (keystream !== null && this.#used < keystream.length) return keystream;
    const size = keystream === null ? AHEAD_FIRST : Math.min(2 * keystream.length, AHEAD_MOST);
    this.#used = 0;
    return (this.#keystream = this.#stream().update(ZEROS.subarray(0, size)));
  }

  #stream(): Cipher {
    if (this.#cipher === null) {
      this.#prepare();
      // As a key object: Node 24 takes six times as long to make a cipher from the bytes of a key.
      this.#cipher = createCipheriv('aes-256-ctr', createSecretKey(KEY), COUNTER);
      const skip = this.#offset % BLOCK;
      if (skip > 0) this.#cipher.update(ZEROS.subarray(0, skip));
    }
    return this.#cipher;
  }
}

/** Move a counter block on by `blocks`, as a 128-bit big-endian sum. */
function addTo(counter: Uint8Array, blocks: number): void {
  let carry = blocks;
  for (let i = BLOCK - 1; i >= 0 && carry > 0; i--) {
    const sum = (counter[i] as number) + (carry % 256);
    counter[i] = sum & 0xff;
    carry = Math.floor(carry / 256) + (sum >> 8);
  }
}

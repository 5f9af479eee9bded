import { type Cipher, createCipheriv } from 'node:crypto';

const BLOCK = 16;
const KEYSTREAM_BYTES = 4096;
/** Above this a cipher call is cheaper than an XOR in JavaScript (measured: 512-1024 bytes). */
const SMALL = 768;
const ZEROS = Buffer.alloc(KEYSTREAM_BYTES);

/**
 * One direction of AES-256-CTR that can rest: between chunks only key, IV and offset are needed, so an idle session holds no
 * cipher. Small chunks are XORed with keystream made ahead, which costs a tenth of a cipher call per message.
 */
export class Ctr {
  readonly #key: Uint8Array;
  readonly #iv: Uint8Array;
  #offset = 0;
  #cipher: Cipher | null = null;
  #keystream: Buffer | null = null;
  #used = 0;

  /** `key` is 32 bytes, `iv` 16; the counter is 128 bits, big-endian (protocol.md §2.2). */
  constructor(key: Uint8Array, iv: Uint8Array) {
    this.#key = key;
    this.#iv = iv;
  }

  /** Bytes of keystream consumed so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Encrypt or decrypt a chunk. A small chunk is changed in place and returned; a large one comes back as a new buffer. */
  apply(chunk: Buffer): Buffer {
    if (chunk.length > SMALL) {
      if (this.#keystream !== null) this.rest();
      const out = this.#stream().update(chunk);
      this.#offset += chunk.length;
      return out;
    }
    let done = 0;
    while (done < chunk.length) {
      const keystream = this.#ahead();
      const count = Math.min(chunk.length - done, KEYSTREAM_BYTES - this.#used);
      let from = this.#used;
      for (let i = done; i < done + count; i++) chunk[i] = (chunk[i] as number) ^ (keystream[from++] as number);
      this.#used = from;
      done += count;
    }
    this.#offset += chunk.length;
    return chunk;
  }

  /** Drop cipher and keystream; the next chunk makes them again from the offset. */
  rest(): void {
    this.#cipher = null;
    this.#keystream = null;
  }

  #ahead(): Buffer {
    let keystream = this.#keystream;
    if (keystream === null || this.#used === KEYSTREAM_BYTES) {
      keystream = this.#stream().update(ZEROS);
      this.#keystream = keystream;
      this.#used = 0;
    }
    return keystream;
  }

  #stream(): Cipher {
    if (this.#cipher === null) {
      this.#cipher = createCipheriv('aes-256-ctr', this.#key, counterAt(this.#iv, Math.floor(this.#offset / BLOCK)));
      const skip = this.#offset % BLOCK;
      if (skip > 0) this.#cipher.update(ZEROS.subarray(0, skip));
    }
    return this.#cipher;
  }
}

/** The counter block `blocks` after `iv`, as a 128-bit big-endian sum. */
function counterAt(iv: Uint8Array, blocks: number): Uint8Array {
  if (blocks === 0) return iv;
  const counter = Uint8Array.from(iv);
  let carry = blocks;
  for (let i = BLOCK - 1; i >= 0 && carry > 0; i--) {
    const sum = (counter[i] as number) + (carry % 256);
    counter[i] = sum & 0xff;
    carry = Math.floor(carry / 256) + (sum >> 8);
  }
  return counter;
}

import { createHash, hkdfSync, scrypt } from 'node:crypto';
import { CIPHERS } from '../keyring/algorithms.ts';
import { costBytes, SCRYPT_P, SCRYPT_R } from './cost.ts';
import type { VaultHeader } from './header.ts';

/**
 * The chunks of a sealed file: 64 KiB each and the last one shorter, which is marked as such in its nonce, so that none can be
 * left out, moved, doubled or added (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
 */
export const CHUNK_BYTES = 65_536;
export const TAG_BYTES = 16;

const COUNTER_BYTES = 5;

/** 32 bytes from a passphrase, at a cost that is log2 of scrypt's N. */
export async function stretch(passphrase: Buffer, salt: Buffer, cost: number): Promise<Buffer> {
  const numbers = { N: 2 ** cost, r: SCRYPT_R, p: SCRYPT_P, maxmem: 2 * costBytes(cost) };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, salt, 32, numbers, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

/** The key of one file. */
export async function fileKey(passphrase: Buffer, { algorithm, cost, salt }: VaultHeader): Promise<Buffer> {
  const master = await stretch(passphrase, salt, cost);
  const { keyBytes } = CIPHERS[algorithm];
  return Buffer.from(hkdfSync('sha256', master, salt, `mtp vault v1 ${algorithm}`, keyBytes));
}

/** Seals or opens the chunks of one file, in their order. */
export class Chunks {
  readonly #header: VaultHeader;
  readonly #key: Buffer;
  /** Stands for all bytes of the header. */
  readonly #aad: Buffer;
  #count = 0;

  constructor(header: VaultHeader, bytes: Buffer, key: Buffer) {
    this.#header = header;
    this.#key = key;
    this.#aad = createHash('sha256').update(bytes).digest();
  }

  async seal(plain: Buffer, last: boolean): Promise<Buffer> {
    return CIPHERS[this.#header.algorithm].encrypt(this.#key, this.#nonce(last), this.#aad, plain);
  }

  /** Null where the chunk is not what was sealed in this place. */
  async open(sealed: Buffer, last: boolean): Promise<Buffer | null> {
    return CIPHERS[this.#header.algorithm].decrypt(this.#key, this.#nonce(last), this.#aad, sealed);
  }

  #nonce(last: boolean): Buffer {
    const { nonceBytes } = CIPHERS[this.#header.algorithm];
    const nonce = Buffer.alloc(nonceBytes);
    this.#header.prefix.copy(nonce, 0, 0, nonceBytes - COUNTER_BYTES);
    nonce.writeUInt32BE(this.#count++, nonceBytes - COUNTER_BYTES);
    nonce[nonceBytes - 1] = last ? 1 : 0;
    return nonce;
  }
}

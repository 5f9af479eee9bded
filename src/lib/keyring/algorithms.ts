import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';

/** Authenticated ciphers that a keyring can seal with. A name and its number are part of the format and never change. */
export const ALGORITHMS = ['aes-256-gcm', 'aes-128-gcm', 'chacha20-poly1305', 'xchacha20-poly1305'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export interface Cipher {
  /** In the header of what is sealed. */
  number: number;
  keyBytes: number;
  nonceBytes: number;
  /** Ciphertext and tag of 16 bytes. */
  encrypt: (key: Buffer, nonce: Buffer, aad: Buffer, plain: Buffer) => Promise<Buffer>;
  /** The plain text; null where anything was changed. */
  decrypt: (key: Buffer, nonce: Buffer, aad: Buffer, sealed: Buffer) => Promise<Buffer | null>;
}

/** Whether the keys of a cipher have so many bits. */
export function isLongEnough(algorithm: Algorithm, bits: number): boolean {
  return CIPHERS[algorithm].keyBytes * 8 >= bits;
}

const TAG_BYTES = 16;

export const CIPHERS: Record<Algorithm, Cipher> = {
  'aes-256-gcm': ofNode('aes-256-gcm', 1, 32),
  'aes-128-gcm': ofNode('aes-128-gcm', 2, 16),
  'chacha20-poly1305': ofNode('chacha20-poly1305', 3, 32),
  // Node has no cipher with nonces of 24 bytes.
  'xchacha20-poly1305': {
    number: 4,
    keyBytes: 32,
    nonceBytes: 24,
    encrypt: async (key, nonce, aad, plain) => {
      const { xchacha20poly1305 } = await import('@noble/ciphers/chacha.js');
      return Buffer.from(xchacha20poly1305(key, nonce, aad).encrypt(plain));
    },
    decrypt: async (key, nonce, aad, sealed) => {
      const { xchacha20poly1305 } = await import('@noble/ciphers/chacha.js');
      try {
        return Buffer.from(xchacha20poly1305(key, nonce, aad).decrypt(sealed));
      } catch {
        return null;
      }
    },
  },
};

/**
 * The two of Node that take a tag share their calls; `chacha20-poly1305` is typed like GCM. Keys become key objects, which Node
 * 24 takes much faster than bytes.
 */
function ofNode(name: Exclude<Algorithm, 'xchacha20-poly1305'>, number: number, keyBytes: number): Cipher {
  const gcm = name as 'aes-256-gcm';
  return {
    number,
    keyBytes,
    nonceBytes: 12,
    encrypt: async (key, nonce, aad, plain) => {
      const cipher = createCipheriv(gcm, createSecretKey(key), nonce, { authTagLength: TAG_BYTES }).setAAD(aad);
      return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    decrypt: async (key, nonce, aad, sealed) => {
      if (sealed.length < TAG_BYTES) return null;
      const at = sealed.length - TAG_BYTES;
      const decipher = createDecipheriv(gcm, createSecretKey(key), nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(aad).setAuthTag(sealed.subarray(at));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(0, at)), decipher.final()]);
      } catch {
        return null;
      }
    },
  };
}

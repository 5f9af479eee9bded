import { generateKeyPair, generateKeyPairSync, type KeyObject } from 'node:crypto';

const POOL = 512;
/** Generated at once in the thread pool, so that other work there is not held up. */
const AT_ONCE = 2;

/**
 * Real x25519 public keys made ahead, off the event loop: making one inside a handshake costs more than the rest of it
 * (about 130 us), and random bytes are off the curve half of the time, which probers check (protocol.md §3.5).
 */
export class KeyPoints {
  readonly #ready: Buffer[] = [];
  #making = 0;

  constructor() {
    this.#fill();
  }

  /** 32 bytes, never given out twice. */
  take(): Buffer {
    const point = this.#ready.pop() ?? raw(generateKeyPairSync('x25519').publicKey);
    this.#fill();
    return point;
  }

  #fill(): void {
    while (this.#making < AT_ONCE && this.#ready.length + this.#making < POOL) {
      this.#making += 1;
      generateKeyPair('x25519', undefined, (error, publicKey) => {
        this.#making -= 1;
        if (error !== null) return;
        this.#ready.push(raw(publicKey));
        this.#fill();
      });
    }
  }
}

/** The point at the end of the key's SubjectPublicKeyInfo (RFC 8410 §4). */
function raw(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' }).subarray(-32);
}

import { generateKeyPairSync } from 'node:crypto';
import type { KeyPoints } from './shared/key-points.ts';

/** A few percent of one core while keys run short, in pieces that hold nobody up who shares it: two take 0.07 ms. */
const HURRY_MS = 1;
/** Once the queue was full and half of it is there still: in a burst the handshakes need the core more. */
const LEISURE_MS = 16;
const AT_ONCE = 2;
/** How often a full queue is looked at. */
const FULL_MS = 500;

/**
 * A real x25519 public key, 32 bytes. Random bytes are off the curve half of the time, which probers check (protocol.md §3.5).
 * Of the forms that a key can be exported in, a JWK (RFC 8037 §2) is by far the cheapest.
 */
export function makeKeyPoint(): Buffer {
  const { x = '' } = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' });
  return Buffer.from(x, 'base64url');
}

/**
 * Keeps the queue of keys full from a thread that has nothing else to do: making a key within a handshake costs as much as
 * the rest of it. After a restart, all clients come back at once.
 */
export class KeyMaker {
  readonly #points: KeyPoints;
  #timer: NodeJS.Timeout;
  #short = true;

  constructor(points: KeyPoints) {
    this.#points = points;
    this.#timer = setTimeout(() => this.#fill(), HURRY_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #fill(): void {
    const { room, capacity } = this.#points;
    for (let made = 0; made < Math.min(AT_ONCE, room); made++) this.#points.put(makeKeyPoint());
    const full = room <= AT_ONCE;
    if (full) this.#short = false;
    else if (room > capacity / 2) this.#short = true;
    const pace = this.#short ? HURRY_MS : LEISURE_MS;
    this.#timer = setTimeout(() => this.#fill(), full ? FULL_MS : pace);
  }
}

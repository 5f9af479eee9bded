import { powerOfTwo } from './lock.ts';

const POINT_BYTES = 32;
/** Bytes before the points: how many were taken and how many put since the start, modulo 2^32. */
const HEAD_BYTES = 8;
const TAKEN = 0;
const PUT = 1;

/** A queue of x25519 public keys that one thread fills and all workers take from. No key is given out twice. */
export class KeyPoints {
  readonly memory: SharedArrayBuffer;
  readonly #counts: Int32Array;
  readonly #points: Uint8Array;
  /** How many keys fit. */
  readonly capacity: number;

  private constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#counts = new Int32Array(memory, 0, 2);
    this.#points = new Uint8Array(memory, HEAD_BYTES);
    this.capacity = this.#points.length / POINT_BYTES;
  }

  /** Room for `capacity` keys or a few more. */
  static create(capacity: number): KeyPoints {
    return new KeyPoints(new SharedArrayBuffer(HEAD_BYTES + powerOfTwo(capacity) * POINT_BYTES));
  }

  static attach(memory: SharedArrayBuffer): KeyPoints {
    return new KeyPoints(memory);
  }

  /** How many more keys can be put. */
  get room(): number {
    return this.capacity - this.#waiting(Atomics.load(this.#counts, TAKEN));
  }

  /** Add a key of 32 bytes; only where there is room, and only by the one thread that fills. */
  put(point: Uint8Array): void {
    this.#points.set(point, this.#offset(Atomics.load(this.#counts, PUT)));
    Atomics.add(this.#counts, PUT, 1);
  }

  /** The next key, 32 bytes, or null when none is ready. */
  take(): Buffer | null {
    for (;;) {
      const taken = Atomics.load(this.#counts, TAKEN);
      if (this.#waiting(taken) === 0) return null;
      const offset = this.#offset(taken);
      const point = Buffer.from(this.#points.slice(offset, offset + POINT_BYTES));
      // Another worker may have been given the same one meanwhile.
      if (Atomics.compareExchange(this.#counts, TAKEN, taken, (taken + 1) | 0) === taken) return point;
    }
  }

  #waiting(taken: number): number {
    return (Atomics.load(this.#counts, PUT) - taken) | 0;
  }

  #offset(count: number): number {
    return (count & (this.capacity - 1)) * POINT_BYTES;
  }
}

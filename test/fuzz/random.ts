/** Seeded random numbers, cheap enough to leave the time to the code under test: xorshift128 (Marsaglia 2003). */
export class Random {
  #x: number;
  #y: number;
  #z: number;
  #w: number;

  /** Equal seeds give equal numbers. */
  constructor(...seeds: number[]) {
    let state = 0x9e3779b9;
    const next = (): number => {
      state = Math.imul(state ^ (state >>> 16), 0x85ebca6b) + 0x6d2b79f5;
      const mixed = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
      return (mixed ^ (mixed >>> 16)) | 0;
    };
    for (const seed of seeds) {
      state = (state ^ seed) | 0;
      state = next();
    }
    [this.#x, this.#y, this.#z, this.#w] = [next() | 1, next(), next(), next()];
  }

  /** 32 bits, unsigned. */
  next(): number {
    const t = this.#x ^ (this.#x << 11);
    this.#x = this.#y;
    this.#y = this.#z;
    this.#z = this.#w;
    this.#w = this.#w ^ (this.#w >>> 19) ^ t ^ (t >>> 8);
    return this.#w >>> 0;
  }

  /** A whole number from 0 to `limit` - 1; 0 when there is none. */
  below(limit: number): number {
    return limit <= 1 ? 0 : this.next() % limit;
  }

  /** True once in `times` on average. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  bytes(count: number): Buffer {
    const out = Buffer.allocUnsafe(count);
    for (let at = 0; at < count; at++) out[at] = this.next();
    return out;
  }

  /** Up to `most` places to cut `length` bytes at, in order, none twice. */
  cuts(length: number, most: number): number[] {
    const places = new Set<number>();
    for (let left = this.below(most + 1); left > 0; left--) if (length > 1) places.add(1 + this.below(length - 1));
    return [...places].sort((a, b) => a - b);
  }
}

/** The pieces of `data` between cuts. */
export function piecesOf(data: Buffer, cuts: readonly number[]): Buffer[] {
  return [0, ...cuts].map((from, at) => data.subarray(from, cuts[at] ?? data.length));
}

import { lock, powerOfTwo, unlock } from './lock.ts';
import type { Source } from './source.ts';

const WAYS = 8;
/** low, high, connections, last user slot + 1, last use in seconds. */
const SLOT = 5;
/** One lock and eight slots, rounded to cache lines. */
const BUCKET = 48;

/** Connections per source and who was last seen from it, one table for all workers. */
export class SourceTable {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #mask: number;

  private constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
    this.#mask = this.#cells.length / BUCKET - 1;
  }

  /** Room for eight times the sources that can be connected at once: then one bucket in a million is full. */
  static create(connections: number): SourceTable {
    const buckets = powerOfTwo((connections * 8) / WAYS);
    return new SourceTable(new SharedArrayBuffer(buckets * BUCKET * 4));
  }

  static attach(memory: SharedArrayBuffer): SourceTable {
    return new SourceTable(memory);
  }

  /** Count one more connection unless that would be over `limit`. A source that finds no slot is let in uncounted. */
  acquire(source: Source, limit: number, now: number): 'counted' | 'uncounted' | 'over' {
    const bucket = this.#bucket(source);
    lock(this.#cells, bucket);
    try {
      const slot = this.#find(bucket, source) ?? this.#claim(bucket, source);
      if (slot === null) return 'uncounted';
      const count = this.#cells[slot + 2] as number;
      if (count >= limit) return 'over';
      this.#cells[slot + 2] = count + 1;
      this.#cells[slot + 4] = now;
      return 'counted';
    } finally {
      unlock(this.#cells, bucket);
    }
  }

  /** Give back what `acquire` counted. */
  release(source: Source): void {
    const bucket = this.#bucket(source);
    lock(this.#cells, bucket);
    const slot = this.#find(bucket, source);
    if (slot !== null) this.#cells[slot + 2] = Math.max(0, (this.#cells[slot + 2] as number) - 1);
    unlock(this.#cells, bucket);
  }

  /** Slot of the user who last authenticated from here, or null. A hint: read without the lock. */
  lastUser(source: Source): number | null {
    const slot = this.#find(this.#bucket(source), source);
    const stored = slot === null ? 0 : (this.#cells[slot + 3] as number);
    return stored === 0 ? null : stored - 1;
  }

  remember(source: Source, userSlot: number): void {
    const slot = this.#find(this.#bucket(source), source);
    if (slot !== null) this.#cells[slot + 3] = userSlot + 1;
  }

  #bucket(source: Source): number {
    return ((source.low ^ source.high) & this.#mask) * BUCKET;
  }

  #find(bucket: number, source: Source): number | null {
    for (let way = 0; way < WAYS; way++) {
      const slot = bucket + 1 + way * SLOT;
      if (this.#cells[slot] === source.low && this.#cells[slot + 1] === source.high) return slot;
    }
    return null;
  }

  /** An empty slot, or that of the source that left longest ago. */
  #claim(bucket: number, source: Source): number | null {
    let oldest: number | null = null;
    for (let way = 0; way < WAYS; way++) {
      const slot = bucket + 1 + way * SLOT;
      if (this.#cells[slot] === 0) {
        oldest = slot;
        break;
      }
      if ((this.#cells[slot + 2] as number) > 0) continue;
      if (oldest === null || (this.#cells[slot + 4] as number) < (this.#cells[oldest + 4] as number)) oldest = slot;
    }
    if (oldest !== null) this.#cells.set([source.low, source.high, 0, 0, 0], oldest);
    return oldest;
  }
}

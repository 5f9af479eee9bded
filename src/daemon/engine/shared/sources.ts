import { breakLock, lock, type LockOwner, powerOfTwo, unlock } from './lock.ts';
import type { Source } from './source.ts';

const WAYS = 8;
/** low, high, what is remembered + 1, last use in seconds; then the connections, a cell for each worker and one for the pool. */
const HEAD = 4;
/** Cells before a bucket's slots: its lock. */
const LOCK = 1;
const CACHE_LINE = 16;

/** Connections per source and one row of another table that goes with it, for all workers. */
export class SourceTable {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #workers: number;
  readonly #slot: number;
  readonly #bucketCells: number;
  readonly #mask: number;
  readonly #owner: LockOwner;
  /** Where in a slot this side counts: the pool counts what other engines have. */
  readonly #column: number;

  private constructor(memory: SharedArrayBuffer, workers: number, owner: LockOwner) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
    this.#workers = workers;
    this.#slot = HEAD + workers + 1;
    this.#bucketCells = bucketCells(workers);
    this.#mask = this.#cells.length / this.#bucketCells - 1;
    this.#owner = owner;
    this.#column = HEAD + (owner === 'pool' ? workers : owner);
  }

  /** Room for eight times the sources that can be connected at once: then one bucket in a million is full. */
  static create(connections: number, workers: number): SourceTable {
    const buckets = powerOfTwo((connections * 8) / WAYS);
    return new SourceTable(new SharedArrayBuffer(buckets * bucketCells(workers) * 4), workers, 'pool');
  }

  /** The table as one of its workers uses it. */
  static attach(memory: SharedArrayBuffer, workers: number, worker: number): SourceTable {
    return new SourceTable(memory, workers, worker);
  }

  /**
   * Count one more connection of this worker unless that would be over `limit`. `admit` is asked about a source that has
   * none, while nobody else can count one; where it agrees, `row` is remembered of the source. A source that finds no slot is
   * let in uncounted.
   */
  acquire(
    source: Source,
    limit: number,
    now: number,
    first?: { row: number; admit: () => boolean },
  ): 'counted' | 'uncounted' | 'over' {
    return this.#locked(source, (bucket) => {
      const slot = this.#find(bucket, source) ?? this.#claim(bucket, source);
      if (slot === null) return 'uncounted';
      const count = this.#count(slot);
      if (count >= limit || (count === 0 && first?.admit() === false)) return 'over';
      if (count === 0 && first !== undefined) this.#cells[slot + 2] = first.row + 1;
      this.#change(slot, 1);
      this.#cells[slot + 3] = now;
      return 'counted';
    });
  }

  /** Give back what `acquire` counted. Returns whether it was the last connection of the source. */
  release(source: Source): boolean {
    return this.#locked(source, (bucket) => {
      const slot = this.#find(bucket, source);
      if (slot === null || this.#count(slot) === 0) return false;
      this.#change(slot, -1);
      return this.#count(slot) === 0;
    });
  }

  /**
   * Count as many connections of a source as other engines have, in place of what was counted of them so far; only for the
   * pool. Returns how that changes the number of sources with connections, here and elsewhere together, and of those elsewhere.
   */
  count(source: Source, connections: number, row: number | null): { all: number; elsewhere: number } {
    return this.#locked(source, (bucket) => {
      const slot = this.#find(bucket, source) ?? (connections === 0 ? null : this.#claim(bucket, source));
      if (slot === null) return { all: 0, elsewhere: 0 };
      const before = { all: this.#count(slot), elsewhere: this.#cells[slot + this.#column] as number };
      if (before.all === 0 && row !== null) this.#cells[slot + 2] = row + 1;
      this.#cells[slot + this.#column] = connections;
      const after = before.all - before.elsewhere + connections;
      return {
        all: Math.sign(after) - Math.sign(before.all),
        elsewhere: Math.sign(connections) - Math.sign(before.elsewhere),
      };
    });
  }

  /** Every source with connections of this engine's workers; `row` is what is remembered of it, or -1. Only for the pool. */
  each(visit: (low: number, high: number, row: number, connections: number) => void): void {
    const cells = this.#cells;
    for (let bucket = 0; bucket < cells.length; bucket += this.#bucketCells) {
      for (let way = 0; way < WAYS; way++) {
        const slot = this.#slotAt(bucket, way);
        if (cells[slot] === 0 || this.#own(slot) === 0) continue;
        // Once more, with nobody changing it.
        lock(cells, bucket, this.#owner);
        const [low, high, row, own] = [cells[slot], cells[slot + 1], cells[slot + 2], this.#own(slot)] as const;
        unlock(cells, bucket);
        if (own > 0) visit(low as number, high as number, (row as number) - 1, own);
      }
    }
  }

  /** Give back all that a worker which has ended still held. `emptied` hears the row of each source that is left with nothing. */
  releaseWorker(worker: number, emptied: (row: number) => void = () => undefined): void {
    for (let bucket = 0; bucket < this.#cells.length; bucket += this.#bucketCells) {
      breakLock(this.#cells, bucket, worker);
      for (let way = 0; way < WAYS; way++) {
        const slot = this.#slotAt(bucket, way);
        const held = this.#cells[slot + HEAD + worker] as number;
        this.#cells[slot + HEAD + worker] = 0;
        if (held > 0 && this.#count(slot) === 0) emptied((this.#cells[slot + 2] as number) - 1);
      }
    }
  }

  /** The row that is remembered of a source, or null. A hint: read without the lock. */
  remembered(source: Source): number | null {
    const slot = this.#find(this.#bucket(source), source);
    const stored = slot === null ? 0 : (this.#cells[slot + 2] as number);
    return stored === 0 ? null : stored - 1;
  }

  remember(source: Source, row: number): void {
    const slot = this.#find(this.#bucket(source), source);
    if (slot !== null) this.#cells[slot + 2] = row + 1;
  }

  #locked<Result>(source: Source, action: (bucket: number) => Result): Result {
    const bucket = this.#bucket(source);
    lock(this.#cells, bucket, this.#owner);
    try {
      return action(bucket);
    } finally {
      unlock(this.#cells, bucket);
    }
  }

  #bucket(source: Source): number {
    return ((source.low ^ source.high) & this.#mask) * this.#bucketCells;
  }

  #slotAt(bucket: number, way: number): number {
    return bucket + LOCK + way * this.#slot;
  }

  /** Connections of this engine and of others. */
  #count(slot: number): number {
    return this.#own(slot) + (this.#cells[slot + HEAD + this.#workers] as number);
  }

  #own(slot: number): number {
    let count = 0;
    for (let worker = 0; worker < this.#workers; worker++) count += this.#cells[slot + HEAD + worker] as number;
    return count;
  }

  #change(slot: number, by: number): void {
    const at = slot + this.#column;
    this.#cells[at] = Math.max(0, (this.#cells[at] as number) + by);
  }

  #find(bucket: number, source: Source): number | null {
    for (let way = 0; way < WAYS; way++) {
      const slot = this.#slotAt(bucket, way);
      if (this.#cells[slot] === source.low && this.#cells[slot + 1] === source.high) return slot;
    }
    return null;
  }

  /** An empty slot, or that of the source that left longest ago. */
  #claim(bucket: number, source: Source): number | null {
    let oldest: number | null = null;
    for (let way = 0; way < WAYS; way++) {
      const slot = this.#slotAt(bucket, way);
      if (this.#cells[slot] === 0) {
        oldest = slot;
        break;
      }
      if (this.#count(slot) > 0) continue;
      if (oldest === null || (this.#cells[slot + 3] as number) < (this.#cells[oldest + 3] as number)) oldest = slot;
    }
    if (oldest === null) return null;
    this.#cells.fill(0, oldest, oldest + this.#slot);
    this.#cells[oldest] = source.low;
    this.#cells[oldest + 1] = source.high;
    return oldest;
  }
}

/** One lock and the slots, rounded to cache lines. */
function bucketCells(workers: number): number {
  return Math.ceil((LOCK + WAYS * (HEAD + workers + 1)) / CACHE_LINE) * CACHE_LINE;
}

import { breakLock, lock, type LockOwner, powerOfTwo, unlock } from './lock.ts';
import type { Source } from './source.ts';

const WAYS = 8;
/** low, high, what is remembered + 1, last use in seconds; then the connections, a cell for each worker. */
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

  private constructor(memory: SharedArrayBuffer, workers: number, owner: LockOwner) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
    this.#workers = workers;
    this.#slot = HEAD + workers;
    this.#bucketCells = bucketCells(workers);
    this.#mask = this.#cells.length / this.#bucketCells - 1;
    this.#owner = owner;
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

  #count(slot: number): number {
    let count = 0;
    for (let worker = 0; worker < this.#workers; worker++) count += this.#cells[slot + HEAD + worker] as number;
    return count;
  }

  #change(slot: number, by: number): void {
    const at = slot + HEAD + (this.#owner as number);
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
  return Math.ceil((LOCK + WAYS * (HEAD + workers)) / CACHE_LINE) * CACHE_LINE;
}

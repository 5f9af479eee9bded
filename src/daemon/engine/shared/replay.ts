import { breakLock, lock, type LockOwner, powerOfTwo, unlock } from './lock.ts';

const WAYS = 8;
/** 96 bits of the digest and the expiry in seconds. */
const ENTRY = 4;
const BUCKET = WAYS * ENTRY;
export const REPLAY_ENTRY_BYTES = ENTRY * 4;

/**
 * Openings that were accepted before, one table for all workers (protocol.md §5). Only authenticated ones are entered, so that
 * strangers cannot push entries out. A full bucket gives up its oldest entry, and that is counted.
 */
export class ReplayTable {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #mask: number;
  /** Cells before the entries: locks, one a bucket; the last two hold entries and evictions. */
  readonly #base: number;
  readonly #owner: LockOwner;

  private constructor(memory: SharedArrayBuffer, owner: LockOwner) {
    this.#owner = owner;
    this.memory = memory;
    this.#cells = new Int32Array(memory);
    const buckets = (this.#cells.length - 2) / (BUCKET + 1);
    this.#mask = buckets - 1;
    this.#base = buckets;
  }

  static create(entries: number): ReplayTable {
    const buckets = powerOfTwo(entries / WAYS);
    return new ReplayTable(new SharedArrayBuffer((buckets * (BUCKET + 1) + 2) * 4), 'pool');
  }

  static attach(memory: SharedArrayBuffer, worker: number): ReplayTable {
    return new ReplayTable(memory, worker);
  }

  get entries(): number {
    return Atomics.load(this.#cells, this.#cells.length - 2);
  }

  get evicted(): number {
    return Atomics.load(this.#cells, this.#cells.length - 1);
  }

  /**
   * Enter a digest (at least 12 pseudo-random bytes). Returns false when it is there already, which is a replay. `now` and
   * `expires` are Unix seconds.
   */
  enter(digest: Buffer, now: number, expires: number): boolean {
    const a = digest.readInt32LE(0);
    const b = digest.readInt32LE(4);
    const c = digest.readInt32LE(8);
    const bucket = a & this.#mask;
    const cells = this.#cells;
    lock(cells, bucket, this.#owner);
    try {
      const first = this.#base + bucket * BUCKET;
      let free = first;
      for (let at = first; at < first + BUCKET; at += ENTRY) {
        const expiry = cells[at + 3] as number;
        if (expiry > now && cells[at] === a && cells[at + 1] === b && cells[at + 2] === c) return false;
        if (expiry < (cells[free + 3] as number)) free = at;
      }
      const replaced = cells[free + 3] as number;
      if (replaced > now) Atomics.add(cells, cells.length - 1, 1);
      else if (replaced === 0) Atomics.add(cells, cells.length - 2, 1);
      cells[free] = a;
      cells[free + 1] = b;
      cells[free + 2] = c;
      cells[free + 3] = expires;
      return true;
    } finally {
      unlock(cells, bucket);
    }
  }

  /** Free what a worker that has ended may have held. */
  releaseWorker(worker: number): void {
    for (let bucket = 0; bucket < this.#base; bucket++) breakLock(this.#cells, bucket, worker);
  }

  /** All entries that have not expired, 16 bytes each: what the journal holds. */
  dump(now: number): Buffer {
    const rows: Buffer[] = [];
    for (let at = this.#base; at < this.#cells.length - 2; at += ENTRY) {
      if ((this.#cells[at + 3] as number) > now) rows.push(Buffer.from(this.#cells.slice(at, at + ENTRY).buffer));
    }
    return Buffer.concat(rows);
  }
}

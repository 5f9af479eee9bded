import {
  IMMUNE_SECONDS,
  LEAK_PER_MINUTE,
  type Signal,
  type SignalCounts,
  SIGNALS,
  WEIGHTS,
} from '../../../lib/guard/signals.ts';
import { breakLock, lock, type LockOwner, powerOfTwo, unlock } from './lock.ts';
import type { Source } from './source.ts';

/**
 * How networks behave, one table for all workers: how fast they open connections, and what their openings were. It holds the
 * 65,536 seen last; one that finds its bucket full takes the place of the one that was seen longest ago there.
 */
export const CONDUCT_ENTRIES = 65_536;

const WAYS = 8;
const CELLS = ['low', 'high', 'seenAt', 'tokens', 'paidAt', 'score', 'scoredAt', 'goodAt'] as const;
const AT = Object.fromEntries(CELLS.map((name, at) => [name, at])) as Record<(typeof CELLS)[number], number>;
const COUNTS_AT = CELLS.length;
const ENTRY = CELLS.length + SIGNALS.length;
/** Cells before a bucket's entries: its lock. */
const LOCK = 1;
const CACHE_LINE = 16;
const BUCKET = Math.ceil((LOCK + WAYS * ENTRY) / CACHE_LINE) * CACHE_LINE;
/** Tokens and scores are kept in thousandths. */
const MILLI = 1000;

/** New connections of a network: `burst` at once, and `perMs` more with every millisecond. */
export interface Rate {
  burst: number;
  perMs: number;
}

/** What is known of a network whose bucket has risen over another step. */
export interface Conduct {
  /** Points in the bucket. */
  score: number;
  counts: SignalCounts;
  /** Whether somebody there has proved to know a secret within a day. */
  good: boolean;
}

export class ConductTable {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #mask: number;
  readonly #owner: LockOwner;

  private constructor(memory: SharedArrayBuffer, owner: LockOwner) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
    this.#mask = this.#cells.length / BUCKET - 1;
    this.#owner = owner;
  }

  static create(entries = CONDUCT_ENTRIES): ConductTable {
    return new ConductTable(new SharedArrayBuffer(powerOfTwo(entries / WAYS) * BUCKET * 4), 'pool');
  }

  static attach(memory: SharedArrayBuffer, worker: number): ConductTable {
    return new ConductTable(memory, worker);
  }

  /** Pay for a new connection with `cost` of the rate; false where it is spent. `nowMs` is a clock of all workers. */
  pay(source: Source, rate: Rate, cost: number, nowMs: number): boolean {
    return this.#locked(source, nowMs, (at) => {
      const cells = this.#cells;
      // It may be known for other things, and not have paid yet.
      const fresh = cells[at + AT.paidAt] === 0;
      const passed = fresh ? 0 : (nowMs - (cells[at + AT.paidAt] as number)) | 0;
      const had = fresh ? rate.burst : (cells[at + AT.tokens] as number) / MILLI;
      const tokens = Math.min(rate.burst, had + Math.max(0, passed) * rate.perMs);
      // What is not enough is left to grow, and not rounded down with every attempt.
      if (tokens < cost && !fresh) return false;
      cells[at + AT.tokens] = Math.max(0, tokens - cost) * MILLI;
      cells[at + AT.paidAt] = nowMs | 0 || 1;
      return tokens >= cost;
    });
  }

  /** What a network may open now: connections at once, by `rate`. It is only looked at. */
  left(source: Source, rate: Rate, nowMs: number): number {
    const at = this.#find(this.#bucket(source), source);
    if (at === null || this.#cells[at + AT.paidAt] === 0) return rate.burst;
    const passed = (nowMs - (this.#cells[at + AT.paidAt] as number)) | 0;
    return Math.min(rate.burst, (this.#cells[at + AT.tokens] as number) / MILLI + Math.max(0, passed) * rate.perMs);
  }

  /** Somebody in this network has proved to know a secret. */
  succeeded(source: Source, nowMs: number, nowSeconds: number): void {
    this.#locked(source, nowMs, (at) => (this.#cells[at + AT.goodAt] = nowSeconds));
  }

  /** Count a signal. Returns what is known of the network where its bucket has risen over a multiple of `step`, else null. */
  note(source: Source, signal: Signal, step: number, nowMs: number, nowSeconds: number): Conduct | null {
    return this.#locked(source, nowMs, (at) => {
      const cells = this.#cells;
      const goodAt = cells[at + AT.goodAt] as number;
      const good = goodAt !== 0 && nowSeconds - goodAt < IMMUNE_SECONDS;
      const seconds = Math.max(0, nowSeconds - (cells[at + AT.scoredAt] as number));
      const before = Math.max(0, (cells[at + AT.score] as number) - (seconds * LEAK_PER_MINUTE * MILLI) / 60);
      if (before === 0) cells.fill(0, at + COUNTS_AT, at + ENTRY);
      // Far above any threshold, and far below the end of a cell.
      const after = Math.min(1000 * MILLI, before + WEIGHTS[signal] * MILLI * (good ? 0.5 : 1));
      const countAt = at + COUNTS_AT + SIGNALS.indexOf(signal);
      cells[countAt] = Math.min(0x7fffffff, (cells[countAt] as number) + 1);
      cells[at + AT.score] = after;
      cells[at + AT.scoredAt] = nowSeconds;
      if (Math.floor(after / MILLI / step) === Math.floor(before / MILLI / step)) return null;
      const counts = Object.fromEntries(SIGNALS.map((name, index) => [name, cells[at + COUNTS_AT + index] as number]));
      return { score: after / MILLI, counts: counts as SignalCounts, good };
    });
  }

  /** Free what a worker that has ended may have held. */
  releaseWorker(worker: number): void {
    for (let bucket = 0; bucket < this.#cells.length; bucket += BUCKET) breakLock(this.#cells, bucket, worker);
  }

  /** `action` gets where the entry of the source is. */
  #locked<Result>(source: Source, nowMs: number, action: (at: number) => Result): Result {
    const bucket = this.#bucket(source);
    lock(this.#cells, bucket, this.#owner);
    try {
      const at = this.#find(bucket, source) ?? this.#claim(bucket, source, nowMs);
      this.#cells[at + AT.seenAt] = nowMs | 0;
      return action(at);
    } finally {
      unlock(this.#cells, bucket);
    }
  }

  #bucket({ low, high }: Source): number {
    return ((low ^ high) & this.#mask) * BUCKET;
  }

  #find(bucket: number, { low, high }: Source): number | null {
    for (let way = 0; way < WAYS; way++) {
      const at = bucket + LOCK + way * ENTRY;
      if (this.#cells[at] === low && this.#cells[at + 1] === high) return at;
    }
    return null;
  }

  /** An empty place, or that of the network seen longest ago. */
  #claim(bucket: number, { low, high }: Source, nowMs: number): number {
    let oldest = bucket + LOCK;
    let age = -1;
    for (let way = 0; way < WAYS; way++) {
      const at = bucket + LOCK + way * ENTRY;
      const own =
        this.#cells[at] === 0 ? Number.MAX_SAFE_INTEGER : (nowMs - (this.#cells[at + AT.seenAt] as number)) >>> 0;
      if (own > age) [oldest, age] = [at, own];
    }
    this.#cells.fill(0, oldest, oldest + ENTRY);
    this.#cells[oldest] = low;
    this.#cells[oldest + 1] = high;
    return oldest;
  }
}

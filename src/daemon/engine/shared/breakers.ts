import { BREAKER_STATES, type Breaker } from './breaker.ts';
import { breakLock, lock, type LockOwner, unlock } from './lock.ts';

/** Addresses that can have a row; the built-in DCs have twenty. */
export const BREAKER_ROWS = 256;
/** A cache line: lock, state, failures, opens, streak, error; then `until` as a double. */
const ROW = 16;
const UNTIL = 4;

/** Reasons that a row can hold. */
const ERRORS = [
  null,
  'other',
  'ECONNREFUSED',
  'ETIMEDOUT',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ECONNRESET',
  'EACCES',
  'EPERM',
  'SOCKS5',
] as const;

export interface BreakerRow extends Breaker {
  /** System error of the newest failure; null before the first. */
  lastError: string | null;
}

/** A breaker for each address of a DC, one table for all workers, so that they agree and one of them tries an address out. */
export class BreakerTable {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #times: Float64Array;
  readonly #owner: LockOwner;

  private constructor(memory: SharedArrayBuffer, owner: LockOwner) {
    this.memory = memory;
    this.#owner = owner;
    this.#cells = new Int32Array(memory);
    this.#times = new Float64Array(memory);
  }

  static create(): BreakerTable {
    return new BreakerTable(new SharedArrayBuffer(BREAKER_ROWS * ROW * 4), 'pool');
  }

  static attach(memory: SharedArrayBuffer, worker: number): BreakerTable {
    return new BreakerTable(memory, worker);
  }

  /** Free what a worker that has ended may have held. */
  releaseWorker(worker: number): void {
    for (let slot = 0; slot < BREAKER_ROWS; slot++) breakLock(this.#cells, slot * ROW, worker);
  }

  /** Whether nothing is held against an address. Read without the lock: a failure of this instant may be missed. */
  isSpotless(slot: number): boolean {
    return (this.#times[(slot * ROW) / 2 + UNTIL] as number) === 0 && (this.#cells[slot * ROW + 2] as number) === 0;
  }

  read(slot: number): BreakerRow {
    return this.change(slot, (row) => row).to;
  }

  /** Replace a row by what `step` makes of it, or leave it where that is null; `error` is noted along with it. */
  change(
    slot: number,
    step: (row: Breaker) => Breaker | null,
    error?: string,
  ): { from: BreakerRow; to: BreakerRow; changed: boolean } {
    lock(this.#cells, slot * ROW, this.#owner);
    try {
      const from = this.#load(slot);
      const next = step(from);
      if (next === null) return { from, to: from, changed: false };
      const to = { ...next, lastError: error ?? from.lastError };
      this.#store(slot, to);
      return { from, to, changed: true };
    } finally {
      unlock(this.#cells, slot * ROW);
    }
  }

  #load(slot: number): BreakerRow {
    const at = slot * ROW;
    const cell = (index: number): number => this.#cells[at + index] as number;
    return {
      state: BREAKER_STATES[cell(1)] ?? 'closed',
      failures: cell(2),
      opens: cell(3),
      streak: cell(4),
      until: this.#times[at / 2 + UNTIL] as number,
      lastError: ERRORS[cell(5)] ?? null,
    };
  }

  #store(slot: number, { state, failures, opens, streak, until, lastError }: BreakerRow): void {
    const known = ERRORS.indexOf(lastError as (typeof ERRORS)[number]);
    const cells = [BREAKER_STATES.indexOf(state), failures, opens, streak, known === -1 ? 1 : known];
    this.#cells.set(cells, slot * ROW + 1);
    this.#times[(slot * ROW) / 2 + UNTIL] = until;
  }
}

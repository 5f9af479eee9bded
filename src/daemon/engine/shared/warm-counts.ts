import { BREAKER_ROWS } from './breakers.ts';

/** Parked connections by address and worker. Each row has one writer, which clears it at its start. */
export class WarmCounts {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;

  private constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  static create(workers: number): WarmCounts {
    return new WarmCounts(new SharedArrayBuffer(workers * BREAKER_ROWS * 4));
  }

  static attach(memory: SharedArrayBuffer): WarmCounts {
    return new WarmCounts(memory);
  }

  /** The counts of one worker by slot, all zero. */
  row(worker: number): Int32Array {
    return this.#cells.subarray(worker * BREAKER_ROWS, (worker + 1) * BREAKER_ROWS).fill(0);
  }

  total(slot: number): number {
    let sum = 0;
    for (let at = slot; at < this.#cells.length; at += BREAKER_ROWS) sum += this.#cells[at] as number;
    return sum;
  }
}

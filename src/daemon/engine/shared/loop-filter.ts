const CELLS = 1 << 16;

/**
 * Hellos that are out at the cover right now, counted by hash, for all workers. When one of them comes back from an address
 * of our own, the cover leads to the proxy itself (protocol.md §4 rule 6).
 */
export class LoopFilter {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Uint16Array;
  /** Where this worker's counts begin; the rows of all workers are added up. */
  readonly #own: number;

  private constructor(memory: SharedArrayBuffer, worker: number) {
    this.memory = memory;
    this.#cells = new Uint16Array(memory);
    this.#own = worker * CELLS;
  }

  static create(workers: number): LoopFilter {
    return new LoopFilter(new SharedArrayBuffer(workers * CELLS * 2), 0);
  }

  static attach(memory: SharedArrayBuffer, worker: number): LoopFilter {
    return new LoopFilter(memory, worker);
  }

  /** The cell of an opening, or null where it has no client random to tell it by. */
  static cellOf(opening: Buffer): number | null {
    if (opening.length < 43 || opening[0] !== 0x16) return null;
    return opening.readUInt16LE(12);
  }

  enter(cell: number): void {
    Atomics.add(this.#cells, this.#own + cell, 1);
  }

  leave(cell: number): void {
    Atomics.sub(this.#cells, this.#own + cell, 1);
  }

  count(cell: number): number {
    let out = 0;
    for (let at = cell; at < this.#cells.length; at += CELLS) out += Atomics.load(this.#cells, at);
    return out;
  }

  /** Forget what a worker that has ended had out. */
  release(worker: number): void {
    this.#cells.fill(0, worker * CELLS, (worker + 1) * CELLS);
  }
}

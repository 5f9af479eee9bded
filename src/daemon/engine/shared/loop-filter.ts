const CELLS = 1 << 16;

/**
 * Hellos that are out at the cover right now, counted by hash, for all workers. When one of them comes back from an address
 * of our own, the cover leads to the proxy itself (protocol.md §4 rule 6).
 */
export class LoopFilter {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;

  private constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  static create(): LoopFilter {
    return new LoopFilter(new SharedArrayBuffer(CELLS * 4));
  }

  static attach(memory: SharedArrayBuffer): LoopFilter {
    return new LoopFilter(memory);
  }

  /** The cell of an opening, or null where it has no client random to tell it by. */
  static cellOf(opening: Buffer): number | null {
    if (opening.length < 43 || opening[0] !== 0x16) return null;
    return opening.readUInt16LE(12);
  }

  enter(cell: number): void {
    Atomics.add(this.#cells, cell, 1);
  }

  leave(cell: number): void {
    Atomics.sub(this.#cells, cell, 1);
  }

  count(cell: number): number {
    return Atomics.load(this.#cells, cell);
  }
}

/** Numbers that all workers change together and limits compare with. */

const NAMES = ['sessions', 'connections', 'relayed', 'covers', 'coverState'] as const;
type GaugeName = (typeof NAMES)[number];

/** Values of the `coverState` gauge. */
export const COVER_STATES = [null, 'ok', 'failed', 'loop'] as const;

export class Gauges {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;

  private constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  static create(): Gauges {
    return new Gauges(new SharedArrayBuffer(NAMES.length * 4));
  }

  static attach(memory: SharedArrayBuffer): Gauges {
    return new Gauges(memory);
  }

  /** Add one unless the gauge is at `limit` already. */
  take(name: GaugeName, limit: number): boolean {
    const at = NAMES.indexOf(name);
    if (Atomics.add(this.#cells, at, 1) < limit) return true;
    Atomics.sub(this.#cells, at, 1);
    return false;
  }

  add(name: GaugeName, change: number): void {
    Atomics.add(this.#cells, NAMES.indexOf(name), change);
  }

  set(name: GaugeName, value: number): void {
    Atomics.store(this.#cells, NAMES.indexOf(name), value);
  }

  get(name: GaugeName): number {
    return Atomics.load(this.#cells, NAMES.indexOf(name));
  }
}

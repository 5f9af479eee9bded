/** Numbers that all workers change together and limits compare with, and each worker's share of them. */

const NAMES = ['sessions', 'connections', 'relayed', 'covers', 'coverQueue', 'coverState'] as const;
type GaugeName = (typeof NAMES)[number];

/** Values of the `coverState` gauge. */
export const COVER_STATES = [null, 'ok', 'failed', 'loop'] as const;

const ROW = NAMES.length;
const INDEX = Object.fromEntries(NAMES.map((name, index) => [name, index])) as Record<GaugeName, number>;

/** The first row holds the sums, the others what each worker adds to them. */
export class Gauges {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;

  private constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  static create(workers: number): Gauges {
    return new Gauges(new SharedArrayBuffer((1 + workers) * ROW * 4));
  }

  static attach(memory: SharedArrayBuffer): Gauges {
    return new Gauges(memory);
  }

  /** The gauges as one worker changes them. */
  row(worker: number): GaugeRow {
    return new GaugeRow(this.#cells, (1 + worker) * ROW);
  }

  get(name: GaugeName): number {
    return Atomics.load(this.#cells, INDEX[name]);
  }

  /** Take back what a worker that has ended still held. */
  release(worker: number): void {
    for (let index = 0; index < ROW; index++) {
      const held = Atomics.exchange(this.#cells, (1 + worker) * ROW + index, 0);
      Atomics.sub(this.#cells, index, held);
    }
  }
}

export class GaugeRow {
  readonly #cells: Int32Array;
  readonly #own: number;

  constructor(cells: Int32Array, own: number) {
    this.#cells = cells;
    this.#own = own;
  }

  /** Add one unless the gauge is at `limit` already. */
  take(name: GaugeName, limit: number): boolean {
    const at = INDEX[name];
    if (Atomics.add(this.#cells, at, 1) >= limit) {
      Atomics.sub(this.#cells, at, 1);
      return false;
    }
    Atomics.add(this.#cells, this.#own + at, 1);
    return true;
  }

  add(name: GaugeName, change: number): void {
    const at = INDEX[name];
    Atomics.add(this.#cells, at, change);
    Atomics.add(this.#cells, this.#own + at, change);
  }

  /** Set a gauge that is a state and no count. */
  set(name: 'coverState', value: number): void {
    Atomics.store(this.#cells, INDEX[name], value);
  }
}

const SPINS = 200;

/**
 * Take the lock in `cells[index]`, shared by the worker threads. Sections under it are a few dozen instructions, so spinning
 * nearly always suffices; a holder that lost its CPU is waited for in steps of a millisecond.
 */
export function lock(cells: Int32Array, index: number): void {
  for (let spin = 1; Atomics.compareExchange(cells, index, 0, 1) !== 0; spin++) {
    if (spin % SPINS === 0) Atomics.wait(cells, index, 1, 1);
  }
}

export function unlock(cells: Int32Array, index: number): void {
  Atomics.store(cells, index, 0);
}

/** The smallest power of two that is at least `value`. */
export function powerOfTwo(value: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, value)));
}

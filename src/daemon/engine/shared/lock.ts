const SPINS = 200;

/** Who holds a lock: the pool itself, or a worker by its number. */
export type LockOwner = 'pool' | number;

/**
 * Take the lock in `cells[index]`, shared by the worker threads. Sections under it are a few dozen instructions, so spinning
 * nearly always suffices; a holder that lost its CPU is waited for in steps of a millisecond.
 */
export function lock(cells: Int32Array, index: number, owner: LockOwner): void {
  const mark = markOf(owner);
  for (let spin = 1, held; (held = Atomics.compareExchange(cells, index, 0, mark)) !== 0; spin++) {
    if (spin % SPINS === 0) Atomics.wait(cells, index, held, 1);
  }
}

/** Free a lock that a thread may have held when it ended; others wait on it until then. */
export function breakLock(cells: Int32Array, index: number, owner: LockOwner): void {
  Atomics.compareExchange(cells, index, markOf(owner), 0);
}

/** A free lock is zero. */
function markOf(owner: LockOwner): number {
  return owner === 'pool' ? 1 : owner + 2;
}

export function unlock(cells: Int32Array, index: number): void {
  Atomics.store(cells, index, 0);
}

/** The smallest power of two that is at least `value`. */
export function powerOfTwo(value: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, value)));
}

/** Longest time for which the worker's other connections wait, ms. */
const TURN_MS = 1;

/** A part of a search, much shorter than a turn; returns whether the search is over. */
export type Step = () => boolean;

/**
 * Searches over all secrets, one after another, a millisecond of every turn of the event loop. Side by side they would all end
 * when the last one does, and none could use what another has found: a family that comes back at once is one search.
 */
export class Searches {
  /** In the order in which they came. */
  readonly #waiting = new Set<Step>();

  /** Whether a search would have to wait. */
  get busy(): boolean {
    return this.#waiting.size > 0;
  }

  /** Search now, as far as a turn goes, unless others wait; the rest comes in later turns. */
  begin(step: Step): void {
    const free = !this.busy;
    this.#waiting.add(step);
    if (free) this.#turn();
  }

  /** Give a search up. */
  drop(step: Step): void {
    this.#waiting.delete(step);
  }

  #turn(): void {
    const end = performance.now() + TURN_MS;
    for (const step of this.#waiting) {
      let over = step();
      while (!over && performance.now() < end) over = step();
      if (over) this.#waiting.delete(step);
      if (performance.now() >= end) break;
    }
    if (this.busy) setImmediate(() => this.#turn());
  }
}

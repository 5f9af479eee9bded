/** So many ends in so long a time are no bad luck any more. */
const ENDS = 5;
const WINDOW_MS = 10 * 60_000;

/** Counts how often an engine ended of late. */
export class RestartLoop {
  #ends: number[] = [];

  /** Unix time in ms. */
  note(now: number): void {
    this.#ends = [...this.#ends.filter((at) => now - at < WINDOW_MS), now];
  }

  recent(now: number): number {
    return this.#ends.filter((at) => now - at < WINDOW_MS).length;
  }

  isLoop(now: number): boolean {
    return this.recent(now) >= ENDS;
  }
}

import type { Timed, Wheel } from './wheel.ts';

/** Has one direction of a relay wait until the user's speed allows more. */
export class Pace implements Timed {
  due = -1;
  bucket = 0;
  readonly #wheel: Wheel;
  readonly #over: () => void;

  /** `over` is called when a wait is over. */
  constructor(wheel: Wheel, over: () => void) {
    this.#wheel = wheel;
    this.#over = over;
  }

  get holding(): boolean {
    return this.due !== -1;
  }

  hold(ms: number): void {
    this.#wheel.schedule(this, ms);
  }

  expire(): void {
    this.#over();
  }

  /** Wait no longer. */
  lift(): void {
    if (!this.holding) return;
    this.end();
    this.#over();
  }

  end(): void {
    this.#wheel.cancel(this);
  }
}

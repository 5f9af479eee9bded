import type { Endpoint, HandshakeResult } from '../supervisor/engine.ts';

/**
 * Connections by which the daemon proves access: they are no use of a secret, make nobody look seen, and are in no figures. The
 * daemon names each by its own address, over its channel, when it is connected and has not said anything. As long as it is
 * open nobody else can come from there, so that an outsider can neither be taken for one nor make one.
 */

/** More are not under way at once; of more the oldest is forgotten. */
export const MOST_OWN = 64;
/** One of which nothing has come for so long is not coming. */
const KEEP_MS = 60_000;

export class OwnConnections {
  /** By address and port, with the monotonic time in ms at which it was named; the oldest first. */
  readonly #expected = new Map<string, number>();
  readonly #settled: (from: Endpoint, result: HandshakeResult) => void;
  readonly #now: () => number;

  /** `settled` is told how the opening of each ended. */
  constructor(settled: (from: Endpoint, result: HandshakeResult) => void, now: () => number) {
    this.#settled = settled;
    this.#now = now;
  }

  /** None is on its way, as nearly always. */
  get none(): boolean {
    return this.#expected.size === 0;
  }

  expect(from: Endpoint): void {
    const key = keyOf(from);
    this.#expected.delete(key);
    for (const oldest of this.#expected.keys()) {
      if (this.#expected.size < MOST_OWN) break;
      this.#expected.delete(oldest);
    }
    this.#expected.set(key, this.#now());
  }

  /** It is over, wherever it came in. */
  forget(from: Endpoint): void {
    this.#expected.delete(keyOf(from));
  }

  /** Whether a connection from there is one; only one is. */
  take(from: Endpoint): boolean {
    const key = keyOf(from);
    const since = this.#expected.get(key);
    return this.#expected.delete(key) && since !== undefined && this.#now() - since < KEEP_MS;
  }

  settle(from: Endpoint, result: HandshakeResult): void {
    this.#settled(from, result);
  }
}

export function keyOf({ host, port }: Endpoint): string {
  return `${host} ${port}`;
}

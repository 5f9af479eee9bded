import type { Endpoint } from '../supervisor/engine.ts';
import type { Conn } from './conn.ts';
import { DcAttempt } from './dc-attempt.ts';
import { inOrder } from './dc-order.ts';
import type { Plane } from './plane.ts';
import type { Timed } from './wheel.ts';

/** How long an address has the field to itself: a lost SYN is sent again after a second (RFC 8305 §5, RFC 6298). */
const HEAD_START_MS = 1000;

type Done = (conn: Conn | null, endpoint: Endpoint | null) => void;

/**
 * Connects to one of a DC's addresses: the healthy ones in order of preference, then those in doubt, then those whose breaker
 * is open. The next is started when one fails or keeps us waiting; the first to connect wins.
 */
export class DcDial implements Timed {
  due = -1;
  bucket = 0;
  readonly #plane: Plane;
  readonly #done: Done;
  readonly #waiting: Endpoint[];
  readonly #attempts = new Set<DcAttempt>();
  #newest: Endpoint | null = null;

  /** `done` gets a connected socket, or null when no address could be reached. It is called once, unless cancelled. */
  constructor(plane: Plane, endpoints: readonly Endpoint[], done: Done) {
    this.#plane = plane;
    this.#done = done;
    const order = inOrder(endpoints, plane.settings.telegram.prefer);
    const ranks = new Map(order.map((endpoint) => [endpoint, plane.breakers.rank(endpoint)]));
    this.#waiting = order.toSorted((a, b) => (ranks.get(a) as number) - (ranks.get(b) as number));
    this.#next();
  }

  cancel(): void {
    this.#plane.wheel.cancel(this);
    this.#waiting.length = 0;
    for (const attempt of this.#attempts) attempt.cancel();
    this.#attempts.clear();
  }

  /** The address started last did not connect in its time. */
  expire(): void {
    if (this.#newest !== null) this.#plane.breakers.doubted(this.#newest);
    this.#next();
  }

  #next(): void {
    const { connectMs } = this.#plane.settings.telegram;
    const endpoint = this.#waiting.shift();
    this.#newest = endpoint ?? null;
    if (endpoint === undefined) {
      if (this.#attempts.size === 0) this.#done(null, null);
      return;
    }
    const trial = this.#plane.breakers.claim(endpoint, connectMs);
    const attempt = new DcAttempt(this.#plane, { endpoint, limitMs: connectMs, trial }, (conn) =>
      this.#over(attempt, conn),
    );
    this.#attempts.add(attempt);
    this.#plane.wheel.schedule(this, Math.min(HEAD_START_MS, connectMs));
  }

  #over(attempt: DcAttempt, conn: Conn | null): void {
    this.#attempts.delete(attempt);
    if (conn === null) {
      this.#plane.wheel.cancel(this);
      this.#next();
      return;
    }
    this.cancel();
    this.#done(conn, attempt.endpoint);
  }
}

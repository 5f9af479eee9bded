import type { HandshakeResult } from '../supervisor/engine.ts';
import { monotonicMs } from './dc-breakers.ts';
import type { Source } from './shared/source.ts';
import type { UserRows } from './shared/user-rows.ts';
import type { FoundUser } from './user-set.ts';

const REFUSALS = {
  connections: 'devices',
  networks: 'networks',
  disabled: 'disabled',
  expired: 'expired',
  quota: 'quota',
  gone: 'stale',
} as const;

/** What the connection of a user takes of what the user may have: it counts in the user's row and in the secret's. */
export class Stay {
  readonly #rows: UserRows;
  readonly #user: FoundUser;
  readonly #source: Source;
  #over = false;

  private constructor(rows: UserRows, user: FoundUser, source: Source) {
    this.#rows = rows;
    this.#user = user;
    this.#source = source;
  }

  /**
   * Count a connection from `source`, or say why it may not be; `now` is Unix time in seconds. Null is for one of the daemon's
   * own: it stands within the limits as any other, and leaves no trace of a visit.
   */
  static begin(rows: UserRows, user: FoundUser, source: Source, now: number | null): Stay | HandshakeResult {
    const { row, secretRow, stale } = user;
    if (stale) {
      if (now !== null) rows.cameLate(secretRow, now);
      return 'stale';
    }
    for (const at of [row, secretRow]) {
      const state = rows.state(at);
      if (state !== 'ok') return REFUSALS[state];
    }
    const asUser = rows.enter(row, source, now);
    if (asUser !== 'in') return REFUSALS[asUser];
    const withSecret = rows.enter(secretRow, source, now);
    if (withSecret === 'in') return new Stay(rows, user, source);
    rows.leave(row, source);
    return REFUSALS[withSecret];
  }

  /** Whether it may go on. */
  get allowed(): boolean {
    return this.#rows.state(this.#user.row) === 'ok' && this.#rows.state(this.#user.secretRow) === 'ok';
  }

  /** Whether the user's speed is limited. */
  get slowed(): boolean {
    return this.#rows.isSlowed(this.#user.row);
  }

  /** Count payload bytes; none once it is over, when the row may soon be another's. */
  moved(up: number, down: number): void {
    if (this.#over) return;
    this.#rows.moved(this.#user.row, up, down);
    this.#rows.moved(this.#user.secretRow, up, down);
  }

  /** Pay bytes out of the user's speed; returns the ms for which nothing more of that direction may be read. */
  pay(direction: 'up' | 'down', bytes: number): number {
    return this.#rows.pay(this.#user.row, direction, bytes, monotonicMs());
  }

  /** Give everything back; calling it again does nothing. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#rows.leave(this.#user.row, this.#source);
    this.#rows.leave(this.#user.secretRow, this.#source);
  }
}

import type { Allowances, EngineUser, UsageRow } from '../supervisor/engine.ts';
import { type RowState, USER_ROWS, type UserTable } from './shared/user-table.ts';

/** How often the clock and the quotas are looked at. */
const WATCH_MS = 250;
/** A user is limited as a whole; a secret only where it is on its way out. */
const UNLIMITED = { connections: null, networks: null, upBytesPerSecond: null, downBytesPerSecond: null };

/** Keeps the table of users in step with the revision, the clock and the quotas. */
export class UserKeeper {
  readonly #table: UserTable;
  readonly #changed: () => void;
  /** Row of every user and secret since the start. */
  readonly #rows = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #users: readonly EngineUser[] = [];
  #allowances: Allowances = {};
  /** Rows of the revision in force. */
  #present = new Set<number>();

  /** `changed` is called when somebody who was let in may not go on, or the other way round. */
  constructor(table: UserTable, changed: () => void) {
    this.#table = table;
    this.#changed = changed;
    this.#timer = setInterval(() => this.#watch(), WATCH_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** The row of a user or a secret, always the same; throws when there are no more. */
  rowOf(id: string): number {
    const known = this.#rows.get(id);
    if (known !== undefined) return known;
    const row = this.#rows.size;
    if (row >= USER_ROWS) {
      throw new Error(`the engine has seen ${USER_ROWS} users and secrets since its start, and has room for no more`);
    }
    this.#rows.set(id, row);
    return row;
  }

  /** Take over the users of a revision. Who is in it no more may not go on. */
  apply(users: readonly EngineUser[], now = Date.now()): void {
    const present = new Set<number>();
    for (const user of users) {
      const row = this.rowOf(user.id);
      present.add(row);
      this.#table.setLimits(row, user.limits);
      this.#table.setState(row, this.#stateOf(user, now));
      for (const secret of user.secrets) {
        const secretRow = this.rowOf(secret.id);
        present.add(secretRow);
        this.#table.setLimits(secretRow, { ...UNLIMITED, networks: secret.maxNetworks });
        this.#table.setState(secretRow, secret.state === 'tombstone' ? 'gone' : 'ok');
      }
    }
    for (const row of this.#present) if (!present.has(row)) this.#table.setState(row, 'gone');
    this.#present = present;
    this.#users = users;
  }

  /** Those that are named no more are let in again. */
  allow(allowances: Allowances): void {
    this.#allowances = allowances;
    this.#review(() => true);
  }

  usage(): UsageRow[] {
    return [...this.#rows]
      .map(([id, row]) => ({ id, ...this.#table.usage(row) }))
      .filter(({ lastSeen, stale }) => lastSeen > 0 || stale > 0);
  }

  #watch(): void {
    this.#review(({ id, expiresAt }) => expiresAt !== null || this.#allowances[id] !== undefined);
  }

  #review(concerns: (user: EngineUser) => boolean): void {
    const now = Date.now();
    let changed = false;
    for (const user of this.#users) {
      if (!concerns(user)) continue;
      if (this.#table.setState(this.rowOf(user.id), this.#stateOf(user, now))) changed = true;
    }
    if (changed) this.#changed();
  }

  #stateOf({ id, enabled, expiresAt }: EngineUser, now: number): RowState {
    if (!enabled) return 'disabled';
    if (expiresAt !== null && now >= expiresAt) return 'expired';
    const allowed = this.#allowances[id] ?? null;
    if (allowed === null) return 'ok';
    const { up, down } = this.#table.usage(this.rowOf(id));
    return up + down >= allowed ? 'quota' : 'ok';
  }
}

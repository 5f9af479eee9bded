import type { Allowances, EngineUsage, EngineUser, Holdings } from '../supervisor/engine.ts';
import { Rows } from './rows.ts';
import type { RowState } from './shared/row-cells.ts';
import type { UserTable } from './shared/user-table.ts';

/** How often the clock and the quotas are looked at. */
const WATCH_MS = 250;
/** A user is limited as a whole; a secret only where it is on its way out. */
const UNLIMITED = { connections: null, networks: null, upBytesPerSecond: null, downBytesPerSecond: null };

/** Keeps the table of users in step with the revision, the clock and the quotas. */
export class UserKeeper {
  readonly #table: UserTable;
  readonly #changed: () => void;
  readonly #rows: Rows;
  readonly #timer: NodeJS.Timeout;
  #users: readonly EngineUser[] = [];
  #allowances: Allowances = {};

  /** `changed` is called when somebody who was let in may not go on, or the other way round. */
  constructor(table: UserTable, changed: () => void) {
    this.#table = table;
    this.#rows = new Rows(table);
    this.#changed = changed;
    this.#timer = setInterval(() => this.#watch(), WATCH_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** The row of a user or a secret of the revision in force. */
  rowOf(id: string): number {
    return this.#rows.of(id);
  }

  /** The row of an id, if it has one. */
  find(id: string): number | undefined {
    return this.#rows.find(id);
  }

  /** Users and secrets with connections that may have only so many, or of so many networks. */
  limited(): { id: string; row: number }[] {
    return this.#rows.those((row) => this.#table.isLimited(row));
  }

  /** What those with connections have moved whose speed is limited. */
  slowed(): Holdings['moved'] {
    return this.#rows
      .those((row) => this.#table.isSlowed(row))
      .map(({ id, row, era }) => {
        const { up, down } = this.#table.usage(row);
        return { id, era, up, down };
      });
  }

  /** Take over the users of a revision, or reject where there is no room for them. Who is in it no more may not go on. */
  apply(users: readonly EngineUser[], now = Date.now()): number {
    const ids = new Set(users.flatMap(({ id, secrets }) => [id, ...secrets.map((secret) => secret.id)]));
    const { turn, left } = this.#rows.assign(ids);
    for (const user of users) {
      const row = this.rowOf(user.id);
      this.#table.setLimits(row, user.limits);
      this.#table.setState(row, this.#stateOf(user, now));
      for (const secret of user.secrets) {
        const secretRow = this.rowOf(secret.id);
        this.#table.setLimits(secretRow, { ...UNLIMITED, networks: secret.maxNetworks });
        this.#table.setState(secretRow, secret.state === 'tombstone' ? 'gone' : 'ok');
      }
    }
    for (const row of left) this.#table.setState(row, 'gone');
    this.#users = users;
    return turn;
  }

  /** Every worker has taken over the revision that `apply` gave this turn. */
  confirm(turn: number): void {
    this.#rows.confirm(turn);
  }

  /** Those that are named no more are let in again. */
  allow(allowances: Allowances): void {
    this.#allowances = allowances;
    this.#review(() => true);
  }

  usage(): Omit<EngineUsage, 'epoch'> {
    return this.#rows.report();
  }

  /** The figures of a report are in the ledger. */
  recorded(serial: number): void {
    this.#rows.recorded(serial);
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

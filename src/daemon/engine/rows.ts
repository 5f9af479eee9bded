import type { UsageRow } from '../supervisor/engine.ts';
import type { UserTable } from './shared/user-table.ts';

/** Whose a row of the table of users is. */
interface Tenant {
  row: number;
  /** How often figures were given up before it came: what it counts is no part of what anybody of its id counted then. */
  era: number;
}

/** A tenant that the newest revision does not name. */
interface Leaving {
  /** The revision, by its turn, that names it no more. */
  turn: number;
  /** The report that has the last of its figures; null while it may still come to some. */
  report: number | null;
}

/**
 * Which row of the table is whose. A row is given to another only when nothing can be counted in it any more and all that was
 * is in the ledger: no revision that a worker may still look somebody up in names its tenant, no connection counts in it, and
 * a report made after that has been written down. Who comes back before has the row as it was; who comes back later counts
 * from nothing in another era.
 */
export class Rows {
  readonly #table: UserTable;
  readonly #tenants = new Map<string, Tenant>();
  readonly #leaving = new Map<string, Leaving>();
  readonly #free: number[] = [];
  /** Rows that were in use ever: those from here on are free, too. */
  #used = 0;
  #era = 0;
  #turn = 0;
  /** The newest turn that every worker has taken over. */
  #confirmed = 0;
  #reports = 0;

  constructor(table: UserTable) {
    this.#table = table;
  }

  /** The row of a user or a secret of a revision. */
  of(id: string): number {
    const tenant = this.#tenants.get(id);
    if (tenant === undefined) throw new Error('there is no row of a user or a secret that no revision names');
    return tenant.row;
  }

  /** The row of an id, if it has one. */
  find(id: string): number | undefined {
    return this.#tenants.get(id)?.row;
  }

  /**
   * Have rows for all of a revision; rejects, with nothing changed, where they are not to be had. Returns its turn, and the
   * rows of those that it names no more.
   */
  assign(ids: ReadonlySet<string>): { turn: number; left: number[] } {
    this.#sweep();
    const fresh = [...ids].filter((id) => !this.#tenants.has(id));
    const room = this.#table.size - this.#tenants.size;
    if (fresh.length > room) {
      throw new Error(
        `there is room for ${room} more users and secrets, and these are ${fresh.length}; that of those who were removed ` +
          'is free once their connections are closed and their usage is in the ledger, some seconds from now',
      );
    }
    const turn = ++this.#turn;
    for (const id of fresh) {
      const row = this.#free.pop() ?? this.#used++;
      this.#table.name(row, id);
      this.#tenants.set(id, { row, era: this.#era });
    }
    const left: number[] = [];
    for (const [id, { row }] of this.#tenants) {
      if (ids.has(id)) {
        this.#leaving.delete(id);
      } else if (!this.#leaving.has(id)) {
        this.#leaving.set(id, { turn, report: null });
        left.push(row);
      }
    }
    return { turn, left };
  }

  /** Whoever is here and has a row of which that is true. */
  those(test: (row: number) => boolean): { id: string; row: number; era: number }[] {
    const those = [];
    for (const [id, { row, era }] of this.#tenants) {
      if (!this.#table.isEmpty(row) && test(row)) those.push({ id, row, era });
    }
    return those;
  }

  /** Every worker has taken over the revision of this turn, and looks nobody up in those before. */
  confirm(turn: number): void {
    this.#confirmed = Math.max(this.#confirmed, turn);
    this.#sweep();
  }

  /** What everybody did who has been here, under the number of this report. */
  report(): { serial: number; rows: UsageRow[] } {
    const serial = ++this.#reports;
    for (const [id, leaving] of this.#leaving) {
      // Before the figures are read: what a connection counted, it counted before it was over.
      if (leaving.report === null && this.#isSettled(id, leaving)) leaving.report = serial;
    }
    const rows = [...this.#tenants]
      .map(([id, { row, era }]) => ({ id, era, ...this.#table.usage(row) }))
      .filter(({ lastSeen, stale }) => lastSeen > 0 || stale > 0);
    return { serial, rows };
  }

  /** The figures of a report, and of all before, are in the ledger. */
  recorded(serial: number): void {
    const done = [...this.#leaving].filter(([, { report }]) => report !== null && report <= serial);
    for (const [id] of done) this.#release(id);
    if (done.length > 0) this.#era += 1;
  }

  /** Free the rows of those who have left and were never here: there is nothing of them to write down. */
  #sweep(): void {
    for (const [id, leaving] of this.#leaving) {
      if (!this.#isSettled(id, leaving)) continue;
      const { lastSeen, stale } = this.#table.usage(this.of(id));
      if (lastSeen === 0 && stale === 0) this.#release(id);
    }
  }

  /** Nobody counts anything here any more. */
  #isSettled(id: string, { turn }: Leaving): boolean {
    return turn <= this.#confirmed && this.#table.isEmpty(this.of(id));
  }

  #release(id: string): void {
    const row = this.of(id);
    this.#table.clear(row);
    this.#tenants.delete(id);
    this.#leaving.delete(id);
    this.#free.push(row);
  }
}

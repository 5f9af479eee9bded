import { monotonicMs } from './dc-breakers.ts';
import type { Holdings } from '../supervisor/engine.ts';
import type { SourceTable } from './shared/sources.ts';
import type { UserTable } from './shared/user-table.ts';
import type { UserKeeper } from './user-keeper.ts';

interface Network {
  /** Null where it is nobody's own. */
  row: number | null;
  low: number;
  high: number;
  connections: number;
}

type Moved = Holdings['moved'][number];

interface Tables {
  sources: SourceTable;
  users: UserTable;
}

/** What other engines hold of the limits that all share, counted in our tables as if the pool were one more worker. */
export class Elsewhere {
  readonly #tables: Tables;
  readonly #keeper: UserKeeper;
  #counted = new Map<string, Network>();
  /** What was moved when we heard of it last, by engine and user. */
  #moved = new Map<string, Moved>();

  constructor(tables: Tables, keeper: UserKeeper) {
    this.#tables = tables;
    this.#keeper = keeper;
  }

  /** Count these and no others. */
  apply(holdings: readonly Holdings[]): void {
    const before = this.#counted;
    this.#counted = this.#sum(holdings);
    for (const [key, network] of before)
      if (!this.#counted.has(key)) this.#count({ ...network, connections: 0 }, network);
    for (const [key, network] of this.#counted) this.#count(network, before.get(key));
    this.#charge(holdings);
  }

  /** Those of all engines; of users that we do not know there is nothing to keep. */
  #sum(holdings: readonly Holdings[]): Map<string, Network> {
    const sum = new Map<string, Network>();
    const add = (row: number | null, low: number, high: number, connections: number): void => {
      const key = `${row ?? ''} ${low} ${high}`;
      const there = sum.get(key);
      if (there === undefined) sum.set(key, { row, low, high, connections });
      else there.connections += connections;
    };
    for (const { networks, ids, users } of holdings) {
      for (let at = 0; at < networks.length; at += 3) {
        const [low, high, connections] = networks.subarray(at, at + 3) as unknown as [number, number, number];
        add(null, low, high, connections);
      }
      const rows = ids.map((id) => this.#keeper.find(id));
      for (let at = 0; at < users.length; at += 4) {
        const [place, low, high, connections] = users.subarray(at, at + 4) as unknown as [
          number,
          number,
          number,
          number,
        ];
        const row = rows[place];
        if (row !== undefined) add(row, low, high, connections);
      }
    }
    return sum;
  }

  #count({ row, low, high, connections }: Network, before: Network | undefined): void {
    const known = before?.connections ?? 0;
    if (connections === known) return;
    if (row === null) this.#tables.sources.count({ low, high }, connections, null);
    else this.#tables.users.countElsewhere(row, { low, high }, connections, known);
  }

  /** Take what was moved elsewhere since the last time out of the speeds of users. */
  #charge(holdings: readonly Holdings[]): void {
    const now = monotonicMs();
    const before = this.#moved;
    this.#moved = new Map();
    for (const { epoch, moved } of holdings) {
      for (const next of moved) {
        const key = `${epoch} ${next.id} ${next.era}`;
        this.#moved.set(key, next);
        const [known, row] = [before.get(key), this.#keeper.find(next.id)];
        if (known === undefined || row === undefined) continue;
        this.#tables.users.movedElsewhere(row, { up: next.up - known.up, down: next.down - known.down }, now);
      }
    }
  }
}

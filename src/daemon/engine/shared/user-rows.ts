import { type Cells, NONE, ROW_STATES, type RowState } from './row-cells.ts';
import { isSlowed, pay } from './row-speed.ts';
import { type Source, sourceOfUser } from './source.ts';
import type { SourceTable } from './sources.ts';

/** One worker's side of the table of users. */
export class UserRows {
  readonly #cells: Cells;
  readonly #own: Cells['own'][number];
  readonly #networks: SourceTable;

  constructor(cells: Cells, networks: SourceTable, worker: number) {
    this.#cells = cells;
    this.#own = cells.own[worker] as Cells['own'][number];
    this.#networks = networks;
  }

  state(row: number): RowState {
    return ROW_STATES[this.#cells.ints.state[row] as number] as RowState;
  }

  /** Count a connection from `source`, unless a limit of the row is reached; `now` is Unix time in seconds, null to leave no trace. */
  enter(row: number, source: Source, now: number | null): 'in' | 'connections' | 'networks' {
    const { ints } = this.#cells;
    if (Atomics.add(ints.connections, row, 1) >= limitOf(ints.maxConnections, row)) {
      Atomics.sub(ints.connections, row, 1);
      return 'connections';
    }
    const key = this.#keyOf(source, row);
    const first = { row, admit: () => this.#takeNetwork(row) };
    if (this.#networks.acquire(key, Number.MAX_SAFE_INTEGER, now ?? 0, first) === 'over') {
      Atomics.sub(ints.connections, row, 1);
      return 'networks';
    }
    this.#own.connections[row] = (this.#own.connections[row] as number) + 1;
    if (now !== null) ints.lastSeen[row] = now;
    return 'in';
  }

  #takeNetwork(row: number): boolean {
    const { networks, maxNetworks } = this.#cells.ints;
    if (Atomics.add(networks, row, 1) < limitOf(maxNetworks, row)) return true;
    Atomics.sub(networks, row, 1);
    return false;
  }

  /** Give back what `enter` counted. */
  leave(row: number, source: Source): void {
    const { ints } = this.#cells;
    this.#own.connections[row] = (this.#own.connections[row] as number) - 1;
    Atomics.sub(ints.connections, row, 1);
    if (this.#networks.release(this.#keyOf(source, row))) Atomics.sub(ints.networks, row, 1);
  }

  #keyOf(source: Source, row: number): Source {
    const { idLow, idHigh } = this.#cells.ints;
    return sourceOfUser(source, idLow[row] as number, idHigh[row] as number);
  }

  /** Count somebody who came with a secret that lets nobody in any more; `now` is Unix time in seconds. */
  cameLate(row: number, now: number): void {
    const { ints } = this.#cells;
    Atomics.add(ints.stale, row, 1);
    ints.staleAt[row] = now;
  }

  /** Count payload bytes. */
  moved(row: number, up: number, down: number): void {
    const own = this.#own;
    own.up[row] = (own.up[row] as number) + up;
    own.down[row] = (own.down[row] as number) + down;
  }

  /** Whether the row has a speed limit. */
  isSlowed(row: number): boolean {
    return isSlowed(this.#cells, row);
  }

  /** As `pay` of row-speed.ts. */
  pay(row: number, direction: 'up' | 'down', bytes: number, now: number): number {
    return pay(this.#cells, row, direction, bytes, now);
  }
}

function limitOf(limits: Int32Array, row: number): number {
  const limit = limits[row] as number;
  return limit === NONE ? Number.MAX_SAFE_INTEGER : limit;
}

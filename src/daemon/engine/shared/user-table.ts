import { REVISION_ROWS, type UsageRow } from '../../supervisor/engine.ts';
import { type Cells, lay, NONE, ROW_STATES, rowBytes, type RowState } from './row-cells.ts';
import { isSlowed, pay } from './row-speed.ts';
import { type Source, wordsOf } from './source.ts';
import { SourceTable } from './sources.ts';
import { UserRows } from './user-rows.ts';

/**
 * What users and secrets may do and have done, one table for all workers. A user has a row and each of its secrets has one: a
 * connection counts in both. Limits stand in the user's row, and those of a secret on its way out in the secret's.
 */

/**
 * Rows of users and secrets together: those of two revisions, as those of the one before are free a little later. 14 MB with two
 * workers where all are in use.
 */
export const USER_ROWS = 2 * REVISION_ROWS;

/** What a row allows; null is no limit. */
export interface RowLimits {
  connections: number | null;
  /** Distinct IPv4 addresses and IPv6 /64s at once. */
  networks: number | null;
  upBytesPerSecond: number | null;
  downBytesPerSecond: number | null;
}

export type RowUsage = Omit<UsageRow, 'id' | 'era'>;

export class UserTable {
  readonly memory: { rows: SharedArrayBuffer; networks: SharedArrayBuffer };
  /** How many rows there are. */
  readonly size: number;
  readonly #cells: Cells;
  readonly #networks: SourceTable;

  private constructor(memory: UserTable['memory'], networks: SourceTable, workers: number) {
    this.memory = memory;
    this.#networks = networks;
    this.size = memory.rows.byteLength / rowBytes(workers);
    this.#cells = lay(memory.rows, workers, this.size);
  }

  /** `connections` is how many there can be at once. */
  static create(connections: number, workers: number, size = USER_ROWS): UserTable {
    const networks = SourceTable.create(2 * connections, workers);
    const rows = new SharedArrayBuffer(size * rowBytes(workers));
    return new UserTable({ rows, networks: networks.memory }, networks, workers);
  }

  static attach(memory: UserTable['memory'], workers: number, worker: number): UserTable {
    return new UserTable(memory, SourceTable.attach(memory.networks, workers, worker), workers);
  }

  state(row: number): RowState {
    return ROW_STATES[this.#cells.ints.state[row] as number] as RowState;
  }

  /** Have a row be of this user or secret. */
  name(row: number, id: string): void {
    const { idLow, idHigh } = this.#cells.ints;
    [idLow[row], idHigh[row]] = wordsOf(id);
  }

  /** Returns whether that is another state than before. */
  setState(row: number, state: RowState): boolean {
    const value = ROW_STATES.indexOf(state);
    return Atomics.exchange(this.#cells.ints.state, row, value) !== value;
  }

  setLimits(row: number, { connections, networks, upBytesPerSecond, downBytesPerSecond }: RowLimits): void {
    const { ints } = this.#cells;
    ints.maxConnections[row] = connections ?? NONE;
    ints.maxNetworks[row] = networks ?? NONE;
    this.#setRate(row, 'up', upBytesPerSecond);
    this.#setRate(row, 'down', downBytesPerSecond);
  }

  #setRate(row: number, direction: 'up' | 'down', bytesPerSecond: number | null): void {
    const { floats, paid } = this.#cells;
    const rates = floats[`${direction}Rate`];
    const rate = bytesPerSecond === null ? NONE : bytesPerSecond / 1000;
    // What was bought at another rate is forgotten.
    if (rates[row] !== rate) Atomics.store(paid[direction], row, 0n);
    rates[row] = rate;
  }

  usage(row: number): RowUsage {
    const { ints, own } = this.#cells;
    let [up, down] = [0, 0];
    for (const mine of own) {
      up += mine.up[row] as number;
      down += mine.down[row] as number;
    }
    const connections = (ints.connections[row] as number) - (ints.connectionsElsewhere[row] as number);
    const networks = (ints.networks[row] as number) - (ints.networksElsewhere[row] as number);
    const [lastSeen, stale, staleAt] = [ints.lastSeen[row], ints.stale[row], ints.staleAt[row]] as [
      number,
      number,
      number,
    ];
    return { up, down, connections, networks, lastSeen, stale, staleAt };
  }

  /** Count as many connections as other engines have of a network, as `sourceOfUser` knows it, in place of what was counted so far. */
  countElsewhere(row: number, network: Source, connections: number, before: number): void {
    const { ints } = this.#cells;
    const change = connections - before;
    Atomics.add(ints.connections, row, change);
    Atomics.add(ints.connectionsElsewhere, row, change);
    const { all, elsewhere } = this.#networks.count(network, connections, row);
    Atomics.add(ints.networks, row, all);
    Atomics.add(ints.networksElsewhere, row, elsewhere);
  }

  /** Every network of every row with connections of this engine. */
  eachNetwork(visit: (low: number, high: number, row: number, connections: number) => void): void {
    this.#networks.each(visit);
  }

  /** Whether a row limits connections or networks. */
  isLimited(row: number): boolean {
    const { maxConnections, maxNetworks } = this.#cells.ints;
    return maxConnections[row] !== NONE || maxNetworks[row] !== NONE;
  }

  isSlowed(row: number): boolean {
    return isSlowed(this.#cells, row);
  }

  /** Take what other engines moved out of a row's speed, bytes; `now` as for `pay`. */
  movedElsewhere(row: number, { up, down }: { up: number; down: number }, now: number): void {
    if (up > 0) pay(this.#cells, row, 'up', up, now);
    if (down > 0) pay(this.#cells, row, 'down', down, now);
  }

  /** Whether no connection counts in a row. Where none can come any more, its figures stay as they are from then on. */
  isEmpty(row: number): boolean {
    return Atomics.load(this.#cells.ints.connections, row) === 0;
  }

  /** Make a row one that nobody has had, and that lets nobody in. No worker may count in it. */
  clear(row: number): void {
    const { ints, floats, paid, own } = this.#cells;
    const columns = own.flatMap((mine) => [mine.connections, mine.up, mine.down]);
    for (const column of [...Object.values(ints), ...Object.values(floats), ...columns]) column[row] = 0;
    for (const column of Object.values(paid)) column[row] = 0n;
    this.setState(row, 'gone');
  }

  /** The table as one worker changes it. */
  worker(worker: number): UserRows {
    return new UserRows(this.#cells, this.#networks, worker);
  }

  /** Take back what a worker that has ended still held; its bytes stay counted. */
  release(worker: number): void {
    const { ints, own } = this.#cells;
    const held = (own[worker] as Cells['own'][number]).connections;
    for (let row = 0; row < held.length; row++) {
      if (held[row] === 0) continue;
      Atomics.sub(ints.connections, row, held[row] as number);
      held[row] = 0;
    }
    this.#networks.releaseWorker(worker, (row) => Atomics.sub(ints.networks, row, 1));
  }
}

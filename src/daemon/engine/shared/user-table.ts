import { REVISION_ROWS, type UsageRow } from '../../supervisor/engine.ts';
import type { Source } from './source.ts';
import { sourceOfUser } from './source.ts';
import { SourceTable } from './sources.ts';

/**
 * What users and secrets may do and have done, one table for all workers. A user has a row and each of its secrets has one: a
 * connection counts in both. Limits stand in the user's row, and those of a secret on its way out in the secret's.
 */

/**
 * Rows of users and secrets together: those of two revisions, as those of the one before are free a little later. 14 MB with two
 * workers where all are in use.
 */
export const USER_ROWS = 2 * REVISION_ROWS;

/** Why a row lets nobody in; `ok` comes first, so that fresh memory says nothing else. */
export const ROW_STATES = ['ok', 'disabled', 'expired', 'quota', 'gone'] as const;
export type RowState = (typeof ROW_STATES)[number];

/** What a row allows; null is no limit. */
export interface RowLimits {
  connections: number | null;
  /** Distinct IPv4 addresses and IPv6 /64s at once. */
  networks: number | null;
  upBytesPerSecond: number | null;
  downBytesPerSecond: number | null;
}

export type RowUsage = Omit<UsageRow, 'id' | 'era'>;

/** A burst that a speed limit lets through, seconds of its rate. */
const BURST_MS = 500;
/** What one read costs at most. */
const LONGEST_MS = 3600_000;
const NONE = -1;

const INTS = [
  'state',
  'maxConnections',
  'maxNetworks',
  'connections',
  'networks',
  'lastSeen',
  'stale',
  'staleAt',
] as const;
/** Bytes/ms. */
const FLOATS = ['upRate', 'downRate'] as const;

interface Cells {
  ints: Record<(typeof INTS)[number], Int32Array>;
  floats: Record<(typeof FLOATS)[number], Float64Array>;
  /** Time at which all that was let through so far would have been sent at the rate, in us. */
  paid: { up: BigInt64Array; down: BigInt64Array };
  /** Of each worker, which alone writes them. */
  own: { connections: Int32Array; up: Float64Array; down: Float64Array }[];
}

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
    const [connections, networks] = [ints.connections[row] as number, ints.networks[row] as number];
    const [lastSeen, stale, staleAt] = [ints.lastSeen[row], ints.stale[row], ints.staleAt[row]] as [
      number,
      number,
      number,
    ];
    return { up, down, connections, networks, lastSeen, stale, staleAt };
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
    return new UserRows(this, this.#cells, this.#networks, worker);
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

/** One worker's side of the table. */
export class UserRows {
  readonly #table: UserTable;
  readonly #cells: Cells;
  readonly #own: Cells['own'][number];
  readonly #networks: SourceTable;

  constructor(table: UserTable, cells: Cells, networks: SourceTable, worker: number) {
    this.#table = table;
    this.#cells = cells;
    this.#own = cells.own[worker] as Cells['own'][number];
    this.#networks = networks;
  }

  state(row: number): RowState {
    return this.#table.state(row);
  }

  /** Count a connection from `source`, unless a limit of the row is reached; `now` is Unix time in seconds, null to leave no trace. */
  enter(row: number, source: Source, now: number | null): 'in' | 'connections' | 'networks' {
    const { ints } = this.#cells;
    if (Atomics.add(ints.connections, row, 1) >= limitOf(ints.maxConnections, row)) {
      Atomics.sub(ints.connections, row, 1);
      return 'connections';
    }
    const key = sourceOfUser(source, row);
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
    if (this.#networks.release(sourceOfUser(source, row))) Atomics.sub(ints.networks, row, 1);
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
    const { upRate, downRate } = this.#cells.floats;
    return upRate[row] !== NONE || downRate[row] !== NONE;
  }

  /**
   * Pay `bytes` out of the row's speed in one direction, all its connections together; returns the ms for which nothing more
   * may be read. `now` is a monotonic clock in ms that the workers share.
   */
  pay(row: number, direction: 'up' | 'down', bytes: number, now: number): number {
    const rate = this.#cells.floats[`${direction}Rate`][row] as number;
    if (rate === NONE) return 0;
    const paid = this.#cells.paid[direction];
    const at = Math.round(now * 1000);
    const cost = Math.round(Math.min(LONGEST_MS, bytes / rate) * 1000);
    for (;;) {
      const before = Atomics.load(paid, row);
      // What was not used of the past is lost, but for a burst.
      const next = Math.max(Number(before), at - BURST_MS * 1000) + cost;
      if (Atomics.compareExchange(paid, row, before, BigInt(next)) === before) return Math.max(0, (next - at) / 1000);
    }
  }
}

function limitOf(limits: Int32Array, row: number): number {
  const limit = limits[row] as number;
  return limit === NONE ? Number.MAX_SAFE_INTEGER : limit;
}

function rowBytes(workers: number): number {
  return 4 * INTS.length + 8 * FLOATS.length + 2 * 8 + workers * (4 + 2 * 8);
}

/** The columns one after another, those of eight bytes first. */
function lay(memory: SharedArrayBuffer, workers: number, size: number): Cells {
  let at = 0;
  const next = <Column>(bytes: number, make: (from: number) => Column): Column => {
    const column = make(at);
    at += size * bytes;
    return column;
  };
  const float = (): Float64Array => next(8, (from) => new Float64Array(memory, from, size));
  const big = (): BigInt64Array => next(8, (from) => new BigInt64Array(memory, from, size));
  const int = (): Int32Array => next(4, (from) => new Int32Array(memory, from, size));
  const floats = Object.fromEntries(FLOATS.map((name) => [name, float()])) as Cells['floats'];
  const paid = { up: big(), down: big() };
  const bytes = Array.from({ length: workers }, () => ({ up: float(), down: float() }));
  const ints = Object.fromEntries(INTS.map((name) => [name, int()])) as Cells['ints'];
  return { ints, floats, paid, own: bytes.map((columns) => ({ ...columns, connections: int() })) };
}

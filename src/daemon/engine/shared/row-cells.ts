/** Why a row lets nobody in; `ok` comes first, so that fresh memory says nothing else. */
export const ROW_STATES = ['ok', 'disabled', 'expired', 'quota', 'gone'] as const;
export type RowState = (typeof ROW_STATES)[number];

/** No limit. */
export const NONE = -1;

const INTS = [
  'state',
  'maxConnections',
  'maxNetworks',
  'connections',
  'networks',
  'lastSeen',
  'stale',
  'staleAt',
  /** Of those in `connections` and `networks`, which other engines have. */
  'connectionsElsewhere',
  'networksElsewhere',
  /** The id, as two words. */
  'idLow',
  'idHigh',
] as const;
/** Bytes/ms. */
const FLOATS = ['upRate', 'downRate'] as const;

/** The columns of the table of users. */
export interface Cells {
  ints: Record<(typeof INTS)[number], Int32Array>;
  floats: Record<(typeof FLOATS)[number], Float64Array>;
  /** Time at which all that was let through so far would have been sent at the rate, in us. */
  paid: { up: BigInt64Array; down: BigInt64Array };
  /** Of each worker, which alone writes them. */
  own: { connections: Int32Array; up: Float64Array; down: Float64Array }[];
}

export function rowBytes(workers: number): number {
  return 4 * INTS.length + 8 * FLOATS.length + 2 * 8 + workers * (4 + 2 * 8);
}

/** The columns one after another, those of eight bytes first. */
export function lay(memory: SharedArrayBuffer, workers: number, size: number): Cells {
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

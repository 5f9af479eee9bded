import { CLOSE_REASONS, type CloseReason, HANDSHAKE_RESULTS, type HandshakeResult } from '../../supervisor/engine.ts';

/** Per-worker counters: each has one writer, so that counting on the hot path needs no atomic operation. */

const NAMES = ['up', 'down', 'accepted', 'coverDials', 'coverFailures', 'coverRefused', 'faults'] as const;
export type CounterName = (typeof NAMES)[number];

const RESULT_AT = NAMES.length;
const CLOSE_AT = RESULT_AT + HANDSHAKE_RESULTS.length;
const ROW = 64;

export class Counters {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Float64Array;

  private constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#cells = new Float64Array(memory);
  }

  static create(workers: number): Counters {
    return new Counters(new SharedArrayBuffer(workers * ROW * 8));
  }

  static attach(memory: SharedArrayBuffer): Counters {
    return new Counters(memory);
  }

  /** The cells of one worker; it alone writes them. */
  row(worker: number): CounterRow {
    return new CounterRow(this.#cells.subarray(worker * ROW, (worker + 1) * ROW));
  }

  total(name: CounterName): number {
    return this.#sum(NAMES.indexOf(name));
  }

  results(): Record<HandshakeResult, number> {
    const entries = HANDSHAKE_RESULTS.map((result, index) => [result, this.#sum(RESULT_AT + index)]);
    return Object.fromEntries(entries) as Record<HandshakeResult, number>;
  }

  closes(): Record<CloseReason, number> {
    const entries = CLOSE_REASONS.map((reason, index) => [reason, this.#sum(CLOSE_AT + index)]);
    return Object.fromEntries(entries) as Record<CloseReason, number>;
  }

  #sum(column: number): number {
    let sum = 0;
    for (let at = column; at < this.#cells.length; at += ROW) sum += this.#cells[at] as number;
    return sum;
  }
}

const INDEX = Object.fromEntries(NAMES.map((name, index) => [name, index])) as Record<CounterName, number>;
const RESULT_INDEX = Object.fromEntries(
  HANDSHAKE_RESULTS.map((result, index) => [result, RESULT_AT + index]),
) as Record<HandshakeResult, number>;

const [UP_AT, DOWN_AT] = [INDEX.up, INDEX.down];
const CLOSE_INDEX = Object.fromEntries(CLOSE_REASONS.map((reason, index) => [reason, CLOSE_AT + index])) as Record<
  CloseReason,
  number
>;

export class CounterRow {
  readonly #cells: Float64Array;

  constructor(cells: Float64Array) {
    this.#cells = cells;
  }

  add(name: CounterName, value: number): void {
    const at = INDEX[name];
    this.#cells[at] = (this.#cells[at] as number) + value;
  }

  /** Payload bytes to Telegram: counted with each chunk, so without looking a name up. */
  up(bytes: number): void {
    this.#cells[UP_AT] = (this.#cells[UP_AT] as number) + bytes;
  }

  /** Payload bytes to the client. */
  down(bytes: number): void {
    this.#cells[DOWN_AT] = (this.#cells[DOWN_AT] as number) + bytes;
  }

  result(result: HandshakeResult): void {
    const at = RESULT_INDEX[result];
    this.#cells[at] = (this.#cells[at] as number) + 1;
  }

  close(reason: CloseReason): void {
    const at = CLOSE_INDEX[reason];
    this.#cells[at] = (this.#cells[at] as number) + 1;
  }

  /** Settle the connections that a worker which has ended left open; returns how many there were. */
  abandon(): number {
    this.#settle(RESULT_AT, HANDSHAKE_RESULTS.length, RESULT_INDEX.aborted);
    return this.#settle(CLOSE_AT, CLOSE_REASONS.length, CLOSE_INDEX.worker);
  }

  /** Put what is missing from `count` cells, so that they add up to the accepted connections, into the one at `rest`. */
  #settle(first: number, count: number, rest: number): number {
    const settled = this.#cells.subarray(first, first + count).reduce((sum, cell) => sum + cell, 0);
    const open = (this.#cells[INDEX.accepted] as number) - settled;
    this.#cells[rest] = (this.#cells[rest] as number) + open;
    return open;
  }
}

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { errnoCode } from '../../lib/errors.ts';
import { REPLAY_ENTRY_BYTES, type ReplayTable } from './shared/replay.ts';

/** How long an opening that the other engine accepted may stay unknown here. */
const POLL_MS = 50;
const CHUNK = 4096 * REPLAY_ENTRY_BYTES;

/**
 * Takes over what another engine adds to the journal while both are at work, as during a hand-over. Rows of our own come
 * back, too, and are known already. Nobody may rewrite the journal in that time.
 */
export class ReplayTail {
  readonly #file: string;
  readonly #table: ReplayTable;
  #at: number;
  #timer: NodeJS.Timeout | undefined;

  /** `from` is how much of the file the table has. */
  constructor(file: string, table: ReplayTable, from: number) {
    this.#file = file;
    this.#table = table;
    this.#at = from;
  }

  /** All that is in the file now is ours. */
  skip(): void {
    const size = statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
    this.#at = size - (size % REPLAY_ENTRY_BYTES);
  }

  start(): void {
    this.#timer ??= setInterval(() => this.catchUp(), POLL_MS);
    this.#timer.unref();
  }

  /** Take over what was added since the last time. A file that cannot be read now is read next time. */
  catchUp(): void {
    let fd: number;
    try {
      fd = openSync(this.#file, 'r');
    } catch (error) {
      if (errnoCode(error) === undefined) throw error;
      return;
    }
    try {
      const now = Math.floor(Date.now() / 1000);
      const rows = Buffer.allocUnsafe(CHUNK);
      for (;;) {
        const got = readSync(fd, rows, 0, CHUNK, this.#at);
        const whole = got - (got % REPLAY_ENTRY_BYTES);
        enterRows(rows.subarray(0, whole), this.#table, now);
        this.#at += whole;
        if (got < CHUNK) return;
      }
    } finally {
      closeSync(fd);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** Enter the rows of a journal that have not expired. */
export function enterRows(rows: Buffer, table: ReplayTable, now: number): void {
  for (let at = 0; at + REPLAY_ENTRY_BYTES <= rows.length; at += REPLAY_ENTRY_BYTES) {
    const expires = rows.readInt32LE(at + 12);
    if (expires > now) table.enter(rows.subarray(at, at + 12), now, expires);
  }
}

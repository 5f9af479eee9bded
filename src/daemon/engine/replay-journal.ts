import { appendFile } from 'node:fs/promises';
import { errnoCode } from '../../lib/errors.ts';

/**
 * How long an accepted opening is remembered. The time in a hello is not covered by its HMAC (the last four bytes of the
 * random can be changed at will), so a hello recorded long ago can be made to look fresh, and only memory tells.
 */
export const KEEP_SECONDS = 7 * 24 * 3600;
const FLUSH_MS = 250;
/** Entries held while the disk does not take them; beyond it the oldest are given up. */
const MAX_PENDING = 65_536;

/** Appends accepted openings to the file that a restarted engine reads back, so that a replay is known then too. */
export class ReplayJournal {
  readonly #file: string | null;
  readonly #timer: NodeJS.Timeout;
  readonly #failed: (code: string) => void;
  #pending: Buffer[] = [];
  #writing: Promise<void> = Promise.resolve();
  /** Write at once: another engine waits to know. */
  eager = false;

  constructor(file: string | null, failed: (code: string) => void) {
    this.#file = file;
    this.#failed = failed;
    this.#timer = setInterval(() => void this.flush(), FLUSH_MS);
    this.#timer.unref();
  }

  /** `digest` as entered in the table; `expires` in Unix seconds. */
  add(digest: Buffer, expires: number): void {
    if (this.#file === null) return;
    const row = Buffer.alloc(16);
    digest.copy(row, 0, 0, 12);
    row.writeInt32LE(expires, 12);
    this.#pending.push(row);
    if (this.#pending.length > MAX_PENDING) this.#pending.shift();
    if (this.eager) void this.flush();
  }

  /** Resolves when all that was added before is in the file, or could not be written. */
  async flush(): Promise<void> {
    if (this.#file === null || this.#pending.length === 0) return this.#writing;
    const rows = this.#pending;
    const file = this.#file;
    this.#pending = [];
    this.#writing = this.#writing.then(async () => {
      try {
        await appendFile(file, Buffer.concat(rows), { mode: 0o600 });
      } catch (error) {
        this.#pending = [...rows, ...this.#pending].slice(-MAX_PENDING);
        this.#failed(errnoCode(error) ?? String(error));
      }
    });
    return this.#writing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }
}

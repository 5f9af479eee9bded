import path from 'node:path';
import { writeAtomic } from '../../lib/system/files.ts';
import type { EngineUsage } from '../supervisor/engine.ts';

/** What everybody used, in a file for the daemon to come: while there is none, and once at the end. */
export class UsageFile {
  readonly #directory: string | null;
  readonly #read: () => Pick<EngineUsage, 'epoch' | 'rows'>;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  /** There is a file. */
  #left = false;
  /** Writes come one after another, or an older one could win. */
  #turn: Promise<unknown> = Promise.resolve();

  /** A directory of null is none: nothing is written. */
  constructor(directory: string | null, read: () => Pick<EngineUsage, 'epoch' | 'rows'>) {
    this.#directory = directory;
    this.#read = read;
  }

  /** Write now and at every interval. */
  begin(intervalMs: number, onFailure: (error: unknown) => void): void {
    if (this.#ended) return;
    const write = (): void => void this.#write(false).catch(onFailure);
    write();
    this.#timer ??= setInterval(write, intervalMs).unref();
  }

  /** Write the last figures. */
  async end(): Promise<void> {
    this.#ended = true;
    clearInterval(this.#timer);
    await this.#write(true);
  }

  async #write(final: boolean): Promise<void> {
    const directory = this.#directory;
    if (directory === null) return;
    const written = this.#turn.then(async () => {
      const { epoch, rows } = this.#read();
      // While it runs, the file also tells the next daemon that it does.
      if (final && rows.length === 0 && !this.#left) return;
      this.#left = true;
      const counters = rows.map(({ id, era, up, down, lastSeen }) => ({ id, era, up, down, lastSeen }));
      const content = { version: 1, epoch, pid: process.pid, at: Date.now(), final, rows: counters };
      await writeAtomic(path.join(directory, `usage-${epoch}.json`), `${JSON.stringify(content)}\n`);
    });
    this.#turn = written.catch(() => undefined);
    return written;
  }
}

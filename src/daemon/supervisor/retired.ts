import { MtpError, EXIT } from '../../lib/errors.ts';
import type { Engine } from './engine.ts';

/** An engine that serves what it has to the end and accepts no more. */
export interface RetiredEngine {
  engine: Engine;
  pid: number;
  /** Unix time in ms. */
  since: number;
  /** Until then its connections may go on. */
  until: number;
}

/** Each costs its memory as long as its last connection lasts. */
const MOST = 3;

/** The engines that a hand-over has relieved. */
export class RetiredEngines {
  readonly #engines: RetiredEngine[] = [];
  readonly #changed: () => void;

  /** `changed` is called when one of them is gone. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get list(): readonly RetiredEngine[] {
    return this.#engines;
  }

  /** Refuse where one more would be too many. */
  assertRoom(): void {
    if (this.#engines.length < MOST) return;
    const pids = this.#engines.map(({ pid }) => pid).join(', ');
    throw new MtpError('DRAINING', `${MOST} engines still serve connections of before (pid ${pids})`, {
      exit: EXIT.temporary,
      hint: 'Wait until one has ended ("mtp status" shows them), or restart the proxy, which cuts them.',
    });
  }

  /** Let an engine serve its connections to the end, and end it. */
  add(engine: Engine, pid: number, now: number, drainMs: number): void {
    const retired = { engine, pid, since: now, until: now + drainMs };
    this.#engines.push(retired);
    void engine
      .drain(drainMs, { gentle: true })
      .catch(() => undefined)
      .then(async () => engine.stop())
      .finally(() => {
        this.#engines.splice(this.#engines.indexOf(retired), 1);
        this.#changed();
      });
  }

  /** Wait for all of them at most so long, then end them; returns how many connections that cut. */
  async end(waitMs: number, sleep: (ms: number) => Promise<void>): Promise<{ cut: number }> {
    const step = 50;
    for (let waited = 0; waited < waitMs && this.#engines.length > 0; waited += step) await sleep(step);
    const left = await Promise.all(
      this.#engines.map(async ({ engine }) =>
        engine.stats().then(
          ({ connections }) => connections.current,
          () => 0,
        ),
      ),
    );
    await Promise.all(this.#engines.map(async ({ engine }) => engine.stop()));
    return { cut: left.reduce((total, count) => total + count, 0) };
  }
}

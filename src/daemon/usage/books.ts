import { setTimeout as sleep } from 'node:timers/promises';
import { forgetMarks, forgetUsage } from '../../lib/usage/forget.ts';
import { type QuotaState, readQuotas } from '../../lib/usage/quota.ts';
import { recordUsage } from '../../lib/usage/record.ts';
import type { UserFiles } from '../../lib/users/files.ts';
import { withUsers } from '../../lib/users/with-users.ts';
import type { Allowances, Engine, EngineUsage } from '../supervisor/engine.ts';
import type { Log } from '../telemetry/log.ts';
import { type Figures, samplesOf } from './figures.ts';
import { type LeftUsage, readLeftUsage, removeLeftUsage, removeUnfinished } from './left-files.ts';

export interface BooksParts {
  files: UserFiles;
  /** Where engines leave what no daemon has asked for. */
  directory: string;
  /** Those that can be asked. */
  engines: () => readonly { engine: Engine; pid: number }[];
  /** Whether an engine of an earlier daemon still runs. */
  orphaned: () => boolean;
  /** How much of what is moved a crash of an engine may cost. */
  intervalMs: () => number;
  log: Log;
  /** Unix time in ms. */
  now: () => number;
}

export interface BooksState {
  /** Up to when everything that was moved is in the ledger, Unix ms; null before the first time. */
  flushedAt: number | null;
  /** Why the newest attempt failed; null where it did not. */
  failure: string | null;
}

type Row = Figures['rows'][number];

/** What an engine answered. */
interface Answer extends Figures {
  engine: Engine;
  serial: number;
}

/** The next turn comes a little early, so that a late one is still within the interval. */
const EARLY = 0.8;
/** What goes through lanes is counted so much later (engine/wheel.ts). */
const COUNTED_LATE_MS = 250;
const TIDY_MS = 3600_000;

/** Writes what users move from the counters of the engines into the ledger, and tells the engines what quotas leave. */
export class UsageBooks {
  readonly #parts: BooksParts;
  readonly #ending = new AbortController();
  /** Counters as they are in the ledger, by epoch: those of the newest figures. */
  readonly #recorded = new Map<string, Map<string, Row>>();
  readonly #epochs = new WeakMap<Engine, string>();
  /** The newest report of an engine that is in the ledger. */
  readonly #reports = new WeakMap<Engine, number>();
  /** What an engine was told last. */
  readonly #told = new WeakMap<Engine, string>();
  /** Turns come one after another. */
  #turn: Promise<unknown> = Promise.resolve();
  #quotas: QuotaState[] | undefined;
  #state: BooksState = { flushedAt: null, failure: null };
  #tidyAt = 0;

  constructor(parts: BooksParts) {
    this.#parts = parts;
  }

  get state(): BooksState {
    return this.#state;
  }

  /** Write at every interval until `close`. */
  async run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      await this.flush();
      await sleep(this.#parts.intervalMs() * EARLY - COUNTED_LATE_MS, undefined, { signal, ref: false }).catch(
        () => undefined,
      );
    }
  }

  /** Write what was moved since the last time. A failure is logged: nothing is lost by it, as the counters go on. */
  async flush(): Promise<void> {
    return this.#inTurn(async () => this.#flush());
  }

  /** Look at the quotas again, which have been changed, and tell every engine, a new one among them. */
  async refresh(): Promise<void> {
    return this.#inTurn(async () => {
      this.#quotas = undefined;
      await this.#flush();
    });
  }

  /** After the end of the engines: write what they left. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.flush();
  }

  async #flush(): Promise<void> {
    const { now, log, orphaned } = this.#parts;
    const at = now();
    try {
      // Before the files are looked at: an engine leaves its last one before it is gone.
      const settled = at >= this.#tidyAt && !orphaned();
      const { answers, missed } = await this.#ask();
      const left = await this.#readLeft(at);
      await this.#record([...answers, ...left]);
      for (const { engine, serial } of answers) this.#reports.set(engine, serial);
      for (const { file, done } of left) if (done) await removeLeftUsage(file);
      if (settled && !missed) await this.#tidy(at, [...answers, ...left]);
      await this.#tell();
      if (this.#state.failure !== null) log('info', 'usage_written_again', {});
      this.#state = { flushedAt: missed ? this.#state.flushedAt : at - COUNTED_LATE_MS, failure: null };
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      if (failure !== this.#state.failure) log('error', 'usage_not_written', {}, `usage is not written: ${failure}`);
      this.#state = { ...this.#state, failure };
    }
  }

  /** What every engine says. One that does not answer is as if nothing had been asked. */
  async #ask(): Promise<{ answers: Answer[]; missed: boolean }> {
    const { engines, now } = this.#parts;
    const asked = engines().map(async ({ engine }): Promise<Answer> => {
      const usage: EngineUsage = await engine.usage(this.#reports.get(engine));
      this.#epochs.set(engine, usage.epoch);
      return { ...usage, engine, at: now() };
    });
    const settled = await Promise.allSettled(asked);
    const answers = settled.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    return { answers, missed: answers.length < settled.length };
  }

  async #readLeft(now: number): Promise<LeftUsage[]> {
    const { directory, engines, log } = this.#parts;
    const onFault = (file: string, why: string): void => log('error', 'usage_file', { file }, `${file}: ${why}`);
    const ours = engines().map(({ pid }) => pid);
    return readLeftUsage(directory, { ours, now, onFault });
  }

  /** Write what is not in the ledger yet; where that is nothing, it is not even opened. */
  async #record(figures: readonly Figures[]): Promise<void> {
    const { files, log } = this.#parts;
    const changed = figures
      .map((each) => ({ ...each, rows: this.#changed(each) }))
      .filter(({ rows }) => rows.length > 0);
    if (changed.length > 0) {
      const samples = changed.flatMap(samplesOf);
      const regressions = await withUsers(files, async (ledger) => recordUsage(ledger, samples));
      for (const { epoch, id } of regressions) log('error', 'counter_shrank', { epoch, id });
    }
    for (const { epoch, rows } of figures) this.#recorded.set(epoch, new Map(rows.map((row) => [row.id, row])));
    const limited = new Set(this.#quotas?.map(({ id }) => id));
    if (changed.some(({ rows }) => rows.some(({ id }) => limited.has(id)))) this.#quotas = undefined;
  }

  #changed({ epoch, rows }: Figures): readonly Row[] {
    const known = this.#recorded.get(epoch);
    if (known === undefined) return rows;
    return rows.filter(({ id, era, up, down, lastSeen }) => {
      const before = known.get(id);
      if (before?.era !== era) return true;
      return before.up !== up || before.down !== down || before.lastSeen !== lastSeen;
    });
  }

  /** Now and then forget what is old, and engines of which nothing can come any more. */
  async #tidy(now: number, figures: readonly Figures[]): Promise<void> {
    const { files, directory } = this.#parts;
    const epochs = figures.map(({ epoch }) => epoch);
    const marked = figures.flatMap(samplesOf).map(({ epoch }) => epoch);
    await withUsers(files, async (ledger) => {
      await forgetMarks(ledger, marked);
      await forgetUsage(ledger, now);
    });
    await removeUnfinished(directory);
    for (const epoch of this.#recorded.keys()) if (!epochs.includes(epoch)) this.#recorded.delete(epoch);
    this.#tidyAt = now + TIDY_MS;
  }

  /** Tell every engine how far its counters may go, where that is something else than before. */
  async #tell(): Promise<void> {
    const { files, engines, now } = this.#parts;
    const at = now();
    if (this.#quotas?.some(({ nextAt }) => nextAt !== null && at >= nextAt)) this.#quotas = undefined;
    this.#quotas ??= await withUsers(files, async (ledger) => readQuotas(ledger, at));
    for (const { engine } of engines()) {
      const epoch = this.#epochs.get(engine);
      if (epoch === undefined) continue;
      const allowances = this.#allowances(epoch, this.#quotas);
      const text = JSON.stringify(allowances);
      if ((this.#told.get(engine) ?? '{}') === text) continue;
      // One that cannot be told has ended, or is told at the next turn.
      await engine.allow(allowances).then(
        () => this.#told.set(engine, text),
        () => undefined,
      );
    }
  }

  #allowances(epoch: string, quotas: readonly QuotaState[]): Allowances {
    const counters = this.#recorded.get(epoch);
    return Object.fromEntries(
      quotas.map(({ id, left }) => {
        const { up, down } = counters?.get(id) ?? { up: 0, down: 0 };
        return [id, up + down + left];
      }),
    );
  }

  async #inTurn(action: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

import { MtpError } from '../../lib/errors.ts';
import { backOffMs, HEALTHY_MS } from '../../lib/system/back-off.ts';
import { describeExit } from './builtin.ts';
import type { Endpoint, Engine, EngineEvent, EngineRevision, EngineStats } from './engine.ts';

export interface SupervisorOptions {
  makeEngine: () => Engine;
  onEvent: (event: EngineEvent) => void;
  /** Called after every start, the first and those after a failure. */
  onStarted: (engine: { pid: number; listening: Endpoint }) => void | Promise<void>;
  /** Unix time in ms. */
  now: () => number;
  /** A number in [0, 1). */
  random: () => number;
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface SupervisorState {
  state: 'starting' | 'running' | 'restarting' | 'stopped';
  pid: number | null;
  listening: Endpoint | null;
  restarts: number;
  lastError: { at: number; message: string } | null;
}

/** Owns exactly one engine: starts it, starts it again with back-off when it ends, and keeps the revision it has to serve. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #stopping = new AbortController();
  #engine: Engine | undefined;
  #revision: EngineRevision | undefined;
  #failures = 0;
  #startedAt = 0;
  #state: SupervisorState = { state: 'starting', pid: null, listening: null, restarts: 0, lastError: null };

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get state(): SupervisorState {
    return this.#state;
  }

  /** The first start; its failure is the caller's. Later ones are retried for ever. */
  async start(revision: EngineRevision): Promise<{ pid: number; listening: Endpoint }> {
    this.#revision = revision;
    return this.#launch(revision);
  }

  /** Hand a new revision to the engine. It is kept for later starts once the engine has confirmed it. */
  async apply(revision: EngineRevision): Promise<string> {
    const confirmed = await this.#running().apply(revision);
    if (confirmed !== revision.id) {
      throw new MtpError('REVISION', `the engine serves revision ${confirmed}, not ${revision.id}`);
    }
    this.#revision = revision;
    return confirmed;
  }

  async stats(): Promise<EngineStats> {
    return this.#running().stats();
  }

  /** Accept no more, wait for the connections to end, then end the engine. */
  async drain(timeoutMs: number): Promise<{ cut: number }> {
    this.#stopping.abort();
    const drained = this.#state.state === 'running' ? await this.#running().drain(timeoutMs) : { cut: 0 };
    await this.stop();
    return drained;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#engine?.stop();
    this.#state = { ...this.#state, state: 'stopped', pid: null };
  }

  #running(): Engine {
    if (this.#engine === undefined || this.#state.state !== 'running') {
      throw new MtpError('ENGINE', 'the engine is not running', {
        hint: 'It is being started again; "mtp status" shows why it ended.',
      });
    }
    return this.#engine;
  }

  async #launch(revision: EngineRevision): Promise<{ pid: number; listening: Endpoint }> {
    const engine = this.#options.makeEngine();
    this.#engine = engine;
    engine.onEvent(this.#options.onEvent);
    engine.onExit((reason) => {
      if (engine === this.#engine && this.#state.state === 'running') this.#recover(describeExit(reason));
    });
    try {
      const started = await engine.start(revision);
      this.#startedAt = this.#options.now();
      this.#state = { ...this.#state, state: 'running', ...started };
      await this.#options.onStarted(started);
      return started;
    } catch (error) {
      await engine.stop();
      throw error;
    }
  }

  #recover(reason: string): void {
    if (this.#stopping.signal.aborted) return;
    const now = this.#options.now();
    if (now - this.#startedAt >= HEALTHY_MS) this.#failures = 0;
    this.#state = {
      ...this.#state,
      state: 'restarting',
      pid: null,
      restarts: this.#state.restarts + 1,
      lastError: { at: now, message: `the engine ended with ${reason}` },
    };
    this.#options.onEvent({ level: 'error', event: 'engine_ended', detail: { reason } });
    void this.#startAgain();
  }

  async #startAgain(): Promise<void> {
    const { random, sleep, onEvent, now } = this.#options;
    const { signal } = this.#stopping;
    for (;;) {
      this.#failures += 1;
      await sleep(backOffMs(this.#failures, random()), signal).catch(() => undefined);
      if (signal.aborted || this.#revision === undefined) return;
      try {
        await this.#launch(this.#revision);
        onEvent({ level: 'warn', event: 'engine_restarted', detail: { restarts: this.#state.restarts } });
        return;
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        this.#state = { ...this.#state, state: 'restarting', lastError: { at: now(), message } };
        onEvent({ level: 'error', event: 'engine_start_failed', detail: { message } });
      }
    }
  }
}

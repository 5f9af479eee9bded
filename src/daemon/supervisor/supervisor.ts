import { MtpError } from '../../lib/errors.ts';
import { backOffMs, HEALTHY_MS } from '../../lib/system/back-off.ts';
import { describeExit } from './builtin.ts';
import type {
  Endpoint,
  Engine,
  EngineEvent,
  EngineRevision,
  EngineStats,
  EngineUsage,
  GuardRules,
  Offence,
  Outlook,
  Serving,
} from './engine.ts';
import { type Switched, switchEngines } from './hand-over.ts';
import { RestartLoop } from './restart-loop.ts';
import { type RetiredEngine, RetiredEngines } from './retired.ts';
import { SharedLimits } from './shared-limits.ts';
import { ListenSockets } from './sockets.ts';

export interface SupervisorOptions {
  /** An engine that serves clients on these sockets; `module` is the entry of another package than ours. */
  makeEngine: (sockets: ListenSockets, module: URL | undefined) => Engine;
  onEvent: (event: EngineEvent) => void;
  onOffence: (offence: Offence) => void;
  /** Called with the processes of all engines whenever one was started or has ended, the one that serves first. */
  onEngines: (pids: number[]) => void | Promise<void>;
  /** Watch a process; the result tells why it ended where there is more to say than how. */
  watchDeath: (pid: number) => Promise<() => Promise<string | undefined>>;
  /** Unix time in ms. */
  now: () => number;
  /** A number in [0, 1). */
  random: () => number;
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface SupervisorState {
  /** `failing` is `restarting` for the fifth time in ten minutes or more. */
  state: 'starting' | 'running' | 'restarting' | 'failing' | 'stopped';
  pid: number | null;
  /** Version of the package that the engine is from. */
  version: string | null;
  listening: Endpoint | null;
  restarts: number;
  lastError: { at: number; message: string } | null;
  /** Unix time in ms of the next start; null where none is due. */
  nextTryAt: number | null;
}

export interface HandOverOptions {
  /** Rejects where a new engine does not behave at these endpoints. */
  prove: (probes: Endpoint[], next: Engine) => Promise<void>;
  /** How long the connections of the old engine may go on. */
  drainMs: number;
  /** Entry of the engine; null is that of our own package, and without it the one in use. */
  module?: URL | null | undefined;
}

/**
 * Owns the sockets that clients connect to and the one engine that serves them: starts it, starts it again with back-off when
 * it ends, keeps the revision it has to serve, and puts another in its place.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #stopping = new AbortController();
  readonly #retired: RetiredEngines;
  readonly #limits: SharedLimits;
  readonly #loop = new RestartLoop();
  /** Ends of engines that came in the middle of a hand-over. */
  readonly #dead = new Map<Engine, string>();
  readonly #watches = new WeakMap<Engine, () => Promise<string | undefined>>();
  #sockets: ListenSockets | undefined;
  #module: URL | undefined;
  #engine: Engine | undefined;
  #revision: EngineRevision | undefined;
  /** What is ruled of networks; every engine has it from its start. */
  #rules: GuardRules | undefined;
  #failures = 0;
  #startedAt = 0;
  #handingOver = false;
  /** Ends the wait for the next start. */
  #retry = new AbortController();
  #retrying: Promise<void> = Promise.resolve();
  #state: SupervisorState = {
    state: 'starting',
    pid: null,
    version: null,
    listening: null,
    restarts: 0,
    lastError: null,
    nextTryAt: null,
  };

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#retired = new RetiredEngines(() => void this.#engineGone());
    this.#limits = new SharedLimits({
      serving: () => (this.#state.state === 'running' ? this.#engine : undefined),
      draining: () => this.#retired.list.map(({ engine }) => engine),
      sleep: async (ms) => options.sleep(ms, this.#stopping.signal).catch(() => undefined),
    });
    this.#stopping.signal.addEventListener('abort', () => this.#limits.close());
  }

  get state(): SupervisorState {
    return this.#state;
  }

  get retired(): readonly RetiredEngine[] {
    return this.#retired.list;
  }

  /** All that can be asked something, the one that serves first. */
  get engines(): readonly { engine: Engine; pid: number }[] {
    const { state, pid } = this.#state;
    const serving = this.#engine !== undefined && state === 'running' && pid !== null;
    return [...(serving ? [{ engine: this.#engine as Engine, pid }] : []), ...this.#retired.list];
  }

  /** Entry of the engine where it is not of our own package. */
  get module(): URL | undefined {
    return this.#module;
  }

  /** How often the engine ended in the last ten minutes, where that is a restart loop. */
  get loopingEnds(): number | null {
    const now = this.#options.now();
    return this.#loop.isLoop(now) ? this.#loop.recent(now) : null;
  }

  /** The first start; its failure is the caller's. Later ones are retried for ever. `beside` as in `Engine.start`. */
  async start(revision: EngineRevision, { beside = false } = {}): Promise<Serving> {
    this.#revision = revision;
    this.#sockets = new ListenSockets(revision.settings.listen, { onePort: true });
    return this.#launch(revision, beside);
  }

  /** Hand a new revision to the engine. It is kept for later starts once the engine has confirmed it. */
  async apply(revision: EngineRevision): Promise<string> {
    const confirmed = await this.#running().apply(revision);
    if (confirmed !== revision.id) {
      throw new MtpError('REVISION', `the engine serves revision ${confirmed}, not ${revision.id}`);
    }
    this.#revision = revision;
    await this.#tellRetired(revision);
    return confirmed;
  }

  /** Replace what is ruled of networks. Resolves when the engine that serves goes by it. */
  async guard(rules: GuardRules): Promise<void> {
    this.#rules = rules;
    const engines = this.engines.map(async ({ engine }) => engine.guard(rules));
    const [serving] = await Promise.allSettled(engines);
    // One that is being started is given them when it serves, and one that drains takes nobody in any more.
    if (serving?.status === 'rejected' && this.#state.state === 'running') throw serving.reason;
  }

  async outlooks(addresses: string[]): Promise<Outlook[]> {
    return this.#running().outlooks(addresses);
  }

  async usage(): Promise<EngineUsage> {
    return this.#running().usage();
  }

  async stats(): Promise<EngineStats> {
    return this.#running().stats();
  }

  /** The engines of an earlier daemon that ran beside ours are gone. */
  async othersGone(): Promise<void> {
    await this.#engineGone();
  }

  /**
   * Put a new engine in the place of the running one without refusing a connection; the old one serves those that it has to
   * their end. Where the new one does not prove itself, the old one goes on and the error says so.
   */
  async handOver(revision: EngineRevision, { prove, drainMs, module }: HandOverOptions): Promise<Switched> {
    this.#retired.assertRoom();
    if (this.#handingOver) throw new MtpError('ENGINE', 'a hand-over is under way');
    this.#handingOver = true;
    this.#retry.abort();
    await this.#retrying;
    const old = this.#state.state === 'running' ? this.#engine : undefined;
    const oldPid = this.#state.pid;
    const { listen } = revision.settings;
    const kept = this.#sockets?.serves(listen) === true ? this.#sockets : undefined;
    const sockets = kept ?? new ListenSockets(listen, { onePort: true });
    const entry = module === undefined ? this.#module : (module ?? undefined);
    const rules = this.#rules;
    const next = this.#make(sockets, entry);
    try {
      const switched = await switchEngines(old, next, this.#ruled(revision), {
        prove,
        prepared: async ({ pid }) => {
          this.#watches.set(next, await this.#options.watchDeath(pid));
          await this.#options.onEngines([...this.#pids(), pid]);
        },
        paused: async () =>
          this.#limits.prepare(
            next,
            this.engines.map(({ engine }) => engine),
          ),
        clock: () => performance.now(),
      });
      if (kept === undefined) this.#sockets?.close();
      this.#sockets = sockets;
      this.#module = entry;
      this.#engine = next;
      this.#revision = revision;
      await this.#catchUp(next, rules);
      this.#startedAt = this.#options.now();
      this.#state = {
        ...this.#state,
        ...switched.serving,
        version: switched.version,
        state: 'running',
        nextTryAt: null,
      };
      if (old !== undefined && oldPid !== null && !this.#dead.has(old)) {
        this.#retired.add(old, oldPid, this.#options.now(), drainMs);
        this.#limits.keep();
      }
      await this.#tellRetired(revision);
      await this.#engineGone();
      return switched;
    } catch (error) {
      if (sockets !== this.#sockets) sockets.close();
      await this.#options.onEngines(this.#pids());
      throw error;
    } finally {
      this.#handingOver = false;
      const died = this.#engine === undefined ? undefined : this.#dead.get(this.#engine);
      this.#dead.clear();
      if (!this.#stopping.signal.aborted) {
        if (died !== undefined) this.#recover(died);
        else if (this.#state.state !== 'running') this.#retrying = this.#startAgain();
      }
    }
  }

  /** Accept no more, wait for the connections to end, then end the engines. */
  async drain(timeoutMs: number): Promise<{ cut: number }> {
    this.#stopping.abort();
    this.#sockets?.close();
    const wait = async (ms: number): Promise<void> => this.#options.sleep(ms, new AbortController().signal);
    const [drained, retired] = await Promise.all([
      this.#state.state === 'running' ? this.#running().drain(timeoutMs) : { cut: 0 },
      this.#retired.end(timeoutMs, wait),
    ]);
    await this.stop();
    return { cut: drained.cut + retired.cut };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#sockets?.close();
    await Promise.all([this.#engine?.stop(), ...this.#retired.list.map(async ({ engine }) => engine.stop())]);
    this.#state = { ...this.#state, state: 'stopped', pid: null, nextTryAt: null };
  }

  /** The engine that serves clients. */
  get serving(): Pick<Engine, 'claim' | 'fate'> {
    return this.#running();
  }

  #running(): Engine {
    if (this.#engine === undefined || this.#state.state !== 'running') {
      throw new MtpError('ENGINE', 'the engine is not running', {
        hint: 'It is being started again; "mtp status" shows why it ended.',
      });
    }
    return this.#engine;
  }

  #ruled(revision: EngineRevision): EngineRevision {
    return this.#rules === undefined ? revision : { ...revision, rules: this.#rules };
  }

  /** Give an engine the rules that came while it was started with others. */
  async #catchUp(engine: Engine, started: GuardRules | undefined): Promise<void> {
    if (this.#rules === undefined || this.#rules === started) return;
    await engine.guard(this.#rules).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      this.#options.onEvent({ level: 'error', event: 'rules_not_told', detail: { message } });
    });
  }

  #pids(): number[] {
    const { pid } = this.#state;
    return [...(pid === null ? [] : [pid]), ...this.#retired.list.map((retired) => retired.pid)];
  }

  /** Whoever loses access loses it at the engines that drain, too. */
  async #tellRetired(revision: EngineRevision): Promise<void> {
    const told = this.#retired.list.map(async ({ engine, pid }) =>
      engine.apply(revision).catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        this.#options.onEvent({ level: 'warn', event: 'draining_engine_not_told', detail: { engine: pid, message } });
      }),
    );
    await Promise.all(told);
  }

  /** Who is left is written down, and an engine that is alone now is told. */
  async #engineGone(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    await this.#options.onEngines(this.#pids());
    if (this.#state.state === 'running' && this.#retired.list.length === 0) {
      await this.#engine?.alone().catch(() => undefined);
    }
  }

  #make(sockets: ListenSockets, module: URL | undefined): Engine {
    const engine = this.#options.makeEngine(sockets, module);
    engine.onEvent(this.#options.onEvent);
    engine.onOffence(this.#options.onOffence);
    engine.onExit((reason) => {
      void (async () => {
        const why = reason.signal === 'SIGKILL' ? await this.#watches.get(engine)?.() : undefined;
        this.#ended(engine, why ?? `the engine ended with ${describeExit(reason)}`);
      })();
    });
    return engine;
  }

  async #launch(revision: EngineRevision, beside: boolean): Promise<Serving> {
    const sockets = this.#sockets ?? new ListenSockets(revision.settings.listen, { onePort: true });
    const engine = this.#make(sockets, this.#module);
    this.#engine = engine;
    try {
      const rules = this.#rules;
      const { version, ...serving } = await engine.start(this.#ruled(revision), {
        beside: beside || this.#retired.list.length > 0,
      });
      this.#watches.set(engine, await this.#options.watchDeath(serving.pid));
      await this.#catchUp(engine, rules);
      this.#startedAt = this.#options.now();
      this.#state = { ...this.#state, state: 'running', ...serving, version, nextTryAt: null };
      await this.#options.onEngines(this.#pids());
      return serving;
    } catch (error) {
      await engine.stop();
      throw error;
    }
  }

  #ended(engine: Engine, message: string): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#handingOver) this.#dead.set(engine, message);
    else if (engine === this.#engine && this.#state.state === 'running') this.#recover(message);
  }

  #recover(message: string): void {
    const now = this.#options.now();
    if (now - this.#startedAt >= HEALTHY_MS) this.#failures = 0;
    const wasLoop = this.#loop.isLoop(now);
    this.#loop.note(now);
    this.#state = {
      ...this.#state,
      state: this.#down(),
      pid: null,
      restarts: this.#state.restarts + 1,
      lastError: { at: now, message },
    };
    this.#options.onEvent({ level: 'error', event: 'engine_ended', detail: { reason: message } });
    if (!wasLoop && this.#loop.isLoop(now)) {
      const detail = { ends: this.#loop.recent(now), minutes: 10, reason: message };
      this.#options.onEvent({ level: 'error', event: 'restart_loop', detail });
    }
    this.#retrying = this.#startAgain();
  }

  #down(): 'restarting' | 'failing' {
    return this.#loop.isLoop(this.#options.now()) ? 'failing' : 'restarting';
  }

  async #startAgain(): Promise<void> {
    const { random, sleep, onEvent, now } = this.#options;
    this.#retry = new AbortController();
    const signal = AbortSignal.any([this.#stopping.signal, this.#retry.signal]);
    for (;;) {
      this.#failures += 1;
      const ms = backOffMs(this.#failures, random());
      this.#state = { ...this.#state, state: this.#down(), nextTryAt: now() + ms };
      await sleep(ms, signal).catch(() => undefined);
      if (signal.aborted || this.#revision === undefined) return;
      try {
        await this.#launch(this.#revision, false);
        onEvent({ level: 'warn', event: 'engine_restarted', detail: { restarts: this.#state.restarts } });
        return;
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        this.#loop.note(now());
        this.#state = { ...this.#state, state: this.#down(), lastError: { at: now(), message } };
        onEvent({ level: 'error', event: 'engine_start_failed', detail: { message } });
      }
    }
  }
}

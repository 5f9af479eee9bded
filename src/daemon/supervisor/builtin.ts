import { type ChildProcess, fork, type SendHandle } from 'node:child_process';
import { EXIT, MtpError } from '../../lib/errors.ts';
import { entryUrl } from '../../lib/system/module-url.ts';
import type {
  Allowances,
  Endpoint,
  Engine,
  EngineEvent,
  EngineRevision,
  EngineStats,
  EngineUsage,
  GuardRules,
  HandshakeResult,
  Holdings,
  Offence,
  Outlook,
  Prepared,
  Serving,
} from './engine.ts';
import {
  type EngineMessage,
  type EngineReplies,
  type EngineRequest,
  IPC_VERSION,
  type SocketMessage,
  type SocketWant,
} from './ipc.ts';
import { ListenSockets } from './sockets.ts';

type ExitReason = { code: number | null; signal: string | null };
type Body<Type extends EngineRequest['type']> = Omit<Extract<EngineRequest, { type: Type }>, 'seq' | 'type'>;
interface Waiting {
  resolve: (value: never) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout | undefined;
}

export interface BuiltinOptions {
  /** What clients connect to; without it the engine is given sockets of its own, which end with it. */
  sockets?: ListenSockets;
  /** A program with arguments that starts Node as somebody with fewer rights; none starts it as we are. */
  via?: string[];
}

/**
 * Sessions live long and what else a worker allocates is gone at once, so a young generation of a few MB keeps nothing more
 * than one of 16 and costs 4 KB less per connection.
 */
const ENGINE_FLAGS = ['--max-semi-space-size=1'];
/** glibc gives each thread a heap of its own, from which freed memory does not come back: 5 KB per connection. */
const ENGINE_ENVIRONMENT = { MALLOC_ARENA_MAX: '2' };

const LOOPBACK = '127.0.0.1';
const START_MS = 30_000;
const ANSWER_MS = 10_000;
const GRACE_MS = 5_000;

/** The engine of this package as a child process, so that it goes on relaying when the daemon dies. */
export class BuiltinEngine implements Engine {
  readonly #module: URL;
  readonly #via: string[];
  readonly #waiting = new Map<number, Waiting>();
  readonly #eventListeners: ((event: EngineEvent) => void)[] = [];
  readonly #offenceListeners: ((offence: Offence) => void)[] = [];
  readonly #exitListeners: ((reason: ExitReason) => void)[] = [];
  readonly #sockets: ListenSockets | undefined;
  /** Sockets that end with this engine. */
  readonly #own: ListenSockets[] = [];
  /** What the workers are to listen on now. */
  #lent: ListenSockets | undefined;
  #child: ChildProcess | undefined;
  #exit: ExitReason | undefined;
  #seq = 0;

  /** `module` is the entry of the process; tests put a scripted one in its place. */
  constructor(module: URL = entryUrl('daemon/engine/main'), { sockets, via = [] }: BuiltinOptions = {}) {
    this.#module = module;
    this.#sockets = sockets;
    this.#via = via;
  }

  async start(revision: EngineRevision, { beside = false } = {}): Promise<Serving & { version: string }> {
    this.#lent = this.#sockets ?? this.#ownSockets(new ListenSockets(revision.settings.listen, { onePort: true }));
    this.#spawn();
    return this.#ask('start', { ipc: IPC_VERSION, revision, beside, prepare: false }, START_MS);
  }

  async prepare(revision: EngineRevision): Promise<Prepared> {
    const probes = this.#ownSockets(new ListenSockets({ host: LOOPBACK, port: 0 }, { onePort: false }));
    this.#lent = probes;
    this.#spawn();
    const { pid, version } = await this.#ask(
      'start',
      { ipc: IPC_VERSION, revision, beside: true, prepare: true },
      START_MS,
    );
    return { pid, version, probes: probes.endpoints };
  }

  async open(): Promise<Serving> {
    this.#lent = this.#sockets ?? this.#lent;
    const serving = await this.#ask('open', {}, ANSWER_MS);
    this.#closeOwn();
    return serving;
  }

  async pause(): Promise<void> {
    await this.#ask('pause', {}, ANSWER_MS);
  }

  async alone(): Promise<void> {
    await this.#ask('alone', {}, ANSWER_MS);
  }

  async apply(revision: EngineRevision): Promise<string> {
    return this.#ask('apply', { revision }, ANSWER_MS);
  }

  async stats(): Promise<EngineStats> {
    return this.#ask('stats', {}, ANSWER_MS);
  }

  async usage(recorded?: number): Promise<EngineUsage> {
    return this.#ask('usage', { recorded: recorded ?? null }, ANSWER_MS);
  }

  async claim(from: Endpoint): Promise<void> {
    await this.#ask('claim', { from }, ANSWER_MS);
  }

  async fate(from: Endpoint): Promise<HandshakeResult | null> {
    return this.#ask('fate', { from }, ANSWER_MS);
  }

  async allow(allowances: Allowances): Promise<void> {
    await this.#ask('allow', { allowances }, ANSWER_MS);
  }

  async holdings(): Promise<Holdings> {
    return this.#ask('holdings', {}, ANSWER_MS);
  }

  async share(elsewhere: readonly Holdings[]): Promise<void> {
    await this.#ask('share', { elsewhere }, ANSWER_MS);
  }

  async guard(rules: GuardRules): Promise<void> {
    await this.#ask('guard', { rules }, ANSWER_MS);
  }

  async outlooks(addresses: string[]): Promise<Outlook[]> {
    return this.#ask('outlooks', { addresses }, ANSWER_MS);
  }

  async drain(timeoutMs: number, { gentle = false } = {}): Promise<{ cut: number }> {
    if (this.#sockets === undefined) this.#closeOwn();
    return this.#ask('drain', { timeoutMs, gentle }, timeoutMs + ANSWER_MS);
  }

  async stop(): Promise<void> {
    this.#closeOwn();
    const child = this.#child;
    if (child === undefined || this.#exit !== undefined) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const killer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
    // The process may end before its answer arrives; its end is the answer then.
    await this.#ask('stop', {}, GRACE_MS).catch(() => undefined);
    if (child.connected) child.disconnect();
    if (this.#isRunning()) child.kill('SIGTERM');
    await ended;
    clearTimeout(killer);
  }

  onEvent(listener: (event: EngineEvent) => void): void {
    this.#eventListeners.push(listener);
  }

  onOffence(listener: (offence: Offence) => void): void {
    this.#offenceListeners.push(listener);
  }

  onExit(listener: (reason: ExitReason) => void): void {
    this.#exitListeners.push(listener);
  }

  #spawn(): void {
    // Its own process group: Ctrl-C in a terminal reaches the daemon alone, and a killed daemon takes no session with it.
    const [program, ...before] = [...this.#via, process.execPath];
    const child = fork(this.#module, [], {
      serialization: 'advanced',
      detached: true,
      execPath: program,
      execArgv: [...before, ...ENGINE_FLAGS],
      env: { ...ENGINE_ENVIRONMENT, ...process.env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    child.on('message', (message) => this.#receive(message as EngineMessage));
    child.on('error', (error) => {
      this.#failAll(engineError(`the engine process cannot be started: ${error.message}`, error));
      if (child.pid === undefined) this.#ended({ code: null, signal: null });
    });
    child.on('exit', (code, signal) => this.#ended({ code, signal }));
  }

  #ownSockets(sockets: ListenSockets): ListenSockets {
    this.#own.push(sockets);
    return sockets;
  }

  #closeOwn(): void {
    for (const sockets of this.#own.splice(0)) sockets.close();
  }

  #isRunning(): boolean {
    return this.#child !== undefined && this.#exit === undefined;
  }

  async #ask<Type extends EngineRequest['type']>(
    type: Type,
    body: Body<Type>,
    timeoutMs: number,
  ): Promise<EngineReplies[Type]> {
    const child = this.#child;
    if (child === undefined || !child.connected || this.#exit !== undefined) {
      throw engineError('the engine is not running');
    }
    const seq = ++this.#seq;
    return new Promise<EngineReplies[Type]>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(seq);
        reject(engineError(`the engine did not answer "${type}" within ${timeoutMs / 1000} s`));
      }, timeoutMs);
      this.#waiting.set(seq, { resolve, reject, timer });
      child.send({ type, seq, ...body }, (error) => {
        if (error !== null) this.#settle(seq)?.reject(engineError('the engine cannot be reached', error));
      });
    });
  }

  #receive(message: EngineMessage): void {
    if (message.type === 'event') {
      for (const listener of this.#eventListeners) listener(message.event);
      return;
    }
    if (message.type === 'offence') {
      for (const listener of this.#offenceListeners) listener(message.offence);
      return;
    }
    if (message.type === 'want') {
      this.#lend(message);
      return;
    }
    const waiting = this.#settle(message.seq);
    if (waiting === undefined) return;
    if (message.type === 'reply') {
      waiting.resolve(message.value as never);
      return;
    }
    const { code, message: text, hint } = message;
    waiting.reject(new MtpError(code, text, { exit: EXIT.precondition, ...(hint === undefined ? {} : { hint }) }));
  }

  /** Send the sockets of a worker; the kernel makes the engine a descriptor of its own for each. */
  #lend({ want, worker, workers }: SocketWant): void {
    const say = (message: SocketMessage, socket?: unknown): void => {
      // A process that ends meanwhile needs no answer.
      if (this.#child?.connected === true) this.#child.send(message, socket as SendHandle, () => undefined);
    };
    try {
      for (const socket of this.#lent?.of(worker, workers) ?? []) say({ type: 'socket', want }, socket);
      say({ type: 'sockets', want });
    } catch (error) {
      if (!(error instanceof MtpError)) throw error;
      say({ type: 'no-sockets', want, code: error.code, message: error.message });
    }
  }

  #settle(seq: number): Waiting | undefined {
    const waiting = this.#waiting.get(seq);
    this.#waiting.delete(seq);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  #ended(reason: ExitReason): void {
    if (this.#exit !== undefined) return;
    this.#exit = reason;
    this.#closeOwn();
    this.#failAll(engineError(`the engine ended with ${describeExit(reason)}`));
    for (const listener of this.#exitListeners) listener(reason);
  }

  #failAll(error: MtpError): void {
    for (const seq of this.#waiting.keys()) this.#settle(seq)?.reject(error);
  }
}

/** How a process ended, in words. */
export function describeExit({ code, signal }: ExitReason): string {
  return signal === null ? `status ${code ?? 'unknown'}` : `signal ${signal}`;
}

function engineError(message: string, cause?: unknown): MtpError {
  return new MtpError('ENGINE', message, { cause });
}

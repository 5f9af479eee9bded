import { type ChildProcess, fork } from 'node:child_process';
import { EXIT, MtpError } from '../../lib/errors.ts';
import { entryUrl } from '../../lib/system/module-url.ts';
import type { Allowances, Engine, EngineEvent, EngineRevision, EngineStats, EngineUsage } from './engine.ts';
import type { EngineMessage, EngineReplies, EngineRequest } from './ipc.ts';

type ExitReason = { code: number | null; signal: string | null };
type Body<Type extends EngineRequest['type']> = Omit<Extract<EngineRequest, { type: Type }>, 'seq' | 'type'>;
interface Waiting {
  resolve: (value: never) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Sessions live long and what else a worker allocates is gone at once, so a young generation of a few MB keeps nothing more
 * than one of 16 and costs 4 KB less per connection.
 */
const ENGINE_FLAGS = ['--max-semi-space-size=1'];
/** glibc gives each thread a heap of its own, from which freed memory does not come back: 5 KB per connection. */
const ENGINE_ENVIRONMENT = { MALLOC_ARENA_MAX: '2' };

const START_MS = 30_000;
const ANSWER_MS = 10_000;
const GRACE_MS = 5_000;

/** The engine of this package as a child process, so that it goes on relaying when the daemon dies. */
export class BuiltinEngine implements Engine {
  readonly #module: URL;
  readonly #waiting = new Map<number, Waiting>();
  readonly #eventListeners: ((event: EngineEvent) => void)[] = [];
  readonly #exitListeners: ((reason: ExitReason) => void)[] = [];
  #child: ChildProcess | undefined;
  #exit: ExitReason | undefined;
  #seq = 0;

  /** `module` is the entry of the process; tests put a scripted one in its place. */
  constructor(module: URL = entryUrl('daemon/engine/main')) {
    this.#module = module;
  }

  async start(revision: EngineRevision): Promise<{ pid: number; listening: { host: string; port: number } }> {
    // Its own process group: Ctrl-C in a terminal reaches the daemon alone, and a killed daemon takes no session with it.
    const child = fork(this.#module, [], {
      serialization: 'advanced',
      detached: true,
      execArgv: ENGINE_FLAGS,
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
    return this.#ask('start', { revision }, START_MS);
  }

  async apply(revision: EngineRevision): Promise<string> {
    return this.#ask('apply', { revision }, ANSWER_MS);
  }

  async stats(): Promise<EngineStats> {
    return this.#ask('stats', {}, ANSWER_MS);
  }

  async usage(): Promise<EngineUsage> {
    return this.#ask('usage', {}, ANSWER_MS);
  }

  async allow(allowances: Allowances): Promise<void> {
    await this.#ask('allow', { allowances }, ANSWER_MS);
  }

  async drain(timeoutMs: number): Promise<{ cut: number }> {
    return this.#ask('drain', { timeoutMs }, timeoutMs + ANSWER_MS);
  }

  async stop(): Promise<void> {
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

  onExit(listener: (reason: ExitReason) => void): void {
    this.#exitListeners.push(listener);
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
    const waiting = this.#settle(message.seq);
    if (waiting === undefined) return;
    if (message.type === 'reply') {
      waiting.resolve(message.value as never);
      return;
    }
    const { code, message: text, hint } = message;
    waiting.reject(new MtpError(code, text, { exit: EXIT.precondition, ...(hint === undefined ? {} : { hint }) }));
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

import { createHmac, randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { type PackedRulings, shareRulings } from '../../lib/access/packed-rulings.ts';
import { backOffMs, HEALTHY_MS } from '../../lib/system/back-off.ts';
import { availableMemory } from '../../lib/system/memory.ts';
import { entryUrl } from '../../lib/system/module-url.ts';
import type {
  AcceleratorState,
  Allowances,
  Endpoint,
  EngineEvent,
  EngineRevision,
  EngineStats,
  EngineUsage,
  GuardRules,
  HandshakeResult,
  Holdings,
  Offence,
  Outlook,
} from '../supervisor/engine.ts';
import { monotonicMs } from './dc-breakers.ts';
import { DcSlots } from './dc-slots.ts';
import { describeDcs } from './dc-stats.ts';
import { Elsewhere } from './elsewhere.ts';
import { Fates } from './fates.ts';
import { readFigures } from './figures.ts';
import { readHoldings } from './holdings.ts';
import { Guard, NO_RULES } from './guard.ts';
import { KeyMaker } from './key-maker.ts';
import { ListenError } from './listen-error.ts';
import { keyOf } from './own-connections.ts';
import { packUsers } from './packed-users.ts';
import { compactReplays, loadReplays } from './replay-store.ts';
import { ReplayTail } from './replay-tail.ts';
import { sourceOf } from './shared/source.ts';
import { SharedTables } from './shared/tables.ts';
import { UsageFile } from './usage-file.ts';
import { UserKeeper } from './user-keeper.ts';
import { answered, told } from './worker-calls.ts';
import type { WorkerMessage, WorkerRequest, WorkerRevision } from './worker-messages.ts';

const COMPACT_MS = 3600_000;
const STOP_MS = 2000;
const POLL_MS = 50;

/** Descriptors of the sockets that a worker is to listen on; null where it has to bind one. */
export type SocketSource = (worker: number, workers: number) => Promise<number[] | null>;

/** Where what happens is told. */
export interface Listeners {
  tell: (event: EngineEvent) => void;
  report: (offence: Offence) => void;
}

/** The worker threads of one engine process and the tables that they share. */
export class Pool {
  readonly #startedAt = Date.now();
  readonly #epoch = randomBytes(16).toString('hex');
  readonly #tables: SharedTables;
  readonly #dcSlots = new DcSlots();
  readonly #seed: [number, number];
  readonly #workers: (Worker | null)[];
  readonly #tell: Listeners['tell'];
  readonly #report: Listeners['report'];
  /** It is asked, and has no connections of its own. */
  readonly #guard: Guard;
  readonly #users: UserKeeper;
  readonly #elsewhere: Elsewhere;
  readonly #usageFile: UsageFile;
  readonly #fates = new Fates();
  readonly #compaction: NodeJS.Timeout;
  readonly #sockets: SocketSource;
  /** What another engine adds to the journal; undefined while there is no journal. */
  #tail: ReplayTail | undefined;
  /** Another engine may write to the journal, which must not be rewritten then. */
  #beside = false;
  /** Workers listen on nothing for now. */
  #paused = false;
  #revision: EngineRevision;
  #rules: GuardRules = NO_RULES;
  #port: number;
  #keys: KeyMaker | undefined;
  #accelerator: AcceleratorState = 'native';
  /** Accept no more: a worker that ends is not started again. */
  #draining = false;
  /** Workers end because they were told to. */
  #stopping = false;
  #failures = 0;
  /** Of each worker: its ends in a row, and when the last one was. */
  readonly #restarts: { inARow: number; at: number }[] = [];

  constructor(revision: EngineRevision, sockets: SocketSource, { tell, report }: Listeners) {
    const { settings } = revision;
    this.#revision = revision;
    this.#sockets = sockets;
    this.#tell = tell;
    this.#report = report;
    this.#port = settings.listen.port;
    this.#seed = networkSeed(revision.networkKey ?? randomBytes(32));
    this.#workers = Array<Worker | null>(settings.workers).fill(null);
    this.#tables = new SharedTables(settings, availableMemory().bytes);
    this.#guard = new Guard(this.#tables.conduct, settings, report);
    this.#setRules(revision.rules ?? NO_RULES);
    this.#users = new UserKeeper(this.#tables.users, () => this.#post({ type: 'review' }));
    this.#users.apply(revision.users);
    this.#elsewhere = new Elsewhere(this.#tables, this.#users);
    this.#usageFile = new UsageFile(settings.usage.directory, () => this.usage());
    this.#compaction = setInterval(() => void this.#compact(), COMPACT_MS);
    this.#compaction.unref();
  }

  /**
   * Start every worker; rejects with a ListenError when the address cannot be had. With `beside` another engine still writes to
   * the same journal.
   */
  async start({ beside }: { beside: boolean }): Promise<{ pid: number; listening: Endpoint }> {
    const { replayFile } = this.#revision.settings;
    if (replayFile !== null) {
      this.#beside = beside;
      const known = loadReplays(replayFile, this.#tables.replay, unixSeconds());
      this.#tail = new ReplayTail(replayFile, this.#tables.replay, known);
      if (beside) this.#tail.start();
      else await this.#compact();
    }
    // One after the other: with port 0 the first decides which port the others share.
    for (let index = 0; index < this.#workers.length; index++) this.#port = await this.#startWorker(index);
    this.#keys = new KeyMaker(this.#tables.points);
    return this.#serving();
  }

  /** Listen on the sockets that there are now, in place of those before, with all that other engines accepted in mind. */
  async open(): Promise<{ pid: number; listening: Endpoint }> {
    this.#tail?.catchUp();
    this.#paused = false;
    const count = this.#workers.length;
    const ports = await Promise.all(
      this.#workers.map(async (worker, index) => worker && this.#opened(worker, await this.#sockets(index, count))),
    );
    this.#port = ports.find((port) => port !== null) ?? this.#port;
    return this.#serving();
  }

  /** Accept no more for now; resolves when all accepted openings are in the journal. */
  async pause(): Promise<void> {
    this.#paused = true;
    this.#writtenByOthers();
    await Promise.all(this.#workers.map(async (worker) => worker && answered(worker, { type: 'pause' }, 'paused')));
  }

  /** No other engine writes to the journal any more. */
  alone(): void {
    this.#beside = false;
    this.#tail?.catchUp();
    this.#tail?.stop();
  }

  async apply(revision: EngineRevision): Promise<string> {
    const turn = this.#users.apply(revision.users);
    this.#guard.settings = revision.settings;
    this.#revision = revision;
    const request: WorkerRequest = { type: 'apply', revision: this.#forWorkers() };
    const applied = (message: WorkerMessage): boolean => message.type === 'applied' && message.id === revision.id;
    // A worker that ends takes the current revision when it is started again.
    await Promise.all(this.#workers.map(async (worker) => worker && told(worker, request, applied)));
    this.#users.confirm(turn);
    return revision.id;
  }

  stats(): EngineStats {
    const { limits, workers } = { limits: this.#revision.settings.limits, workers: this.#workers.length };
    return {
      pid: process.pid,
      startedAt: this.#startedAt,
      revision: this.#revision.id,
      workers,
      accelerator: this.#accelerator,
      listening: { host: this.#revision.settings.listen.host, port: this.#port },
      ...readFigures(this.#tables, limits.connections),
      workerFailures: this.#failures,
      dcs: this.#dcStats(),
      rssBytes: process.memoryUsage.rss(),
    };
  }

  /** A connection from there is the daemon's own: every worker knows when this resolves. */
  async claim(from: Endpoint): Promise<void> {
    this.#fates.begin(from);
    const known = (message: WorkerMessage): boolean =>
      message.type === 'claimed' && keyOf(message.from) === keyOf(from);
    await Promise.all(this.#workers.map(async (worker) => worker && told(worker, { type: 'claim', from }, known)));
  }

  /** How the opening of such a connection ended, which is over now; null where that is not known. */
  async fate(from: Endpoint): Promise<HandshakeResult | null> {
    const result = await this.#fates.end(from);
    this.#post({ type: 'disclaim', from });
    return result;
  }

  usage(): EngineUsage {
    return { epoch: this.#epoch, ...this.#users.usage() };
  }

  /** What a report had is in the ledger. */
  recorded(serial: number): void {
    this.#users.recorded(serial);
  }

  holdings(): Holdings {
    const { perSource } = this.#revision.settings.limits;
    return readHoldings(this.#tables, this.#users, { epoch: this.#epoch, perSource: perSource !== null });
  }

  /** Have limits hold as if the connections of other engines were here. */
  share(elsewhere: readonly Holdings[]): void {
    this.#elsewhere.apply(elsewhere);
  }

  /** Nobody asks for figures any more, which are left in a file from now on, nor says what other engines have. */
  orphaned(): void {
    this.#elsewhere.apply([]);
    const { intervalMs } = this.#revision.settings.usage;
    this.#usageFile.begin(intervalMs, (error) => this.#tell(fault('usage_not_left', { message: messageOf(error) })));
  }

  allow(allowances: Allowances): void {
    this.#users.allow(allowances);
  }

  async guard(rules: GuardRules): Promise<void> {
    this.#setRules(rules);
    const request: WorkerRequest = { type: 'guard', rules: this.#rules };
    await Promise.all(this.#workers.map(async (worker) => worker && answered(worker, request, 'guarded')));
  }

  outlooks(addresses: readonly string[]): Outlook[] {
    return addresses.map((address) => this.#guard.outlook(address, sourceOf(address, this.#seed), unixSeconds()));
  }

  /** Accept no more and wait for the open sessions; returns how many were left when the time was over. */
  async drain(timeoutMs: number, { gentle }: { gentle: boolean }): Promise<{ cut: number }> {
    this.#draining = true;
    this.#post({ type: 'drain', gentle });
    const end = performance.now() + timeoutMs;
    while (this.#tables.gauges.get('sessions') > 0 && performance.now() < end) await sleep(POLL_MS);
    return { cut: this.#tables.gauges.get('sessions') };
  }

  /** Close everything; resolves when the workers have ended. */
  async stop(): Promise<void> {
    this.#draining = true;
    this.#stopping = true;
    clearInterval(this.#compaction);
    this.#tail?.stop();
    this.#keys?.close();
    this.#users.close();
    const ended = this.#workers.map(async (worker) => worker && new Promise((resolve) => worker.once('exit', resolve)));
    this.#post({ type: 'stop' });
    await Promise.race([Promise.all(ended), sleep(STOP_MS)]);
    await this.#usageFile.end().catch((error: unknown) => {
      this.#tell(fault('usage_not_left', { message: messageOf(error) }));
    });
  }

  #setRules({ allowed, bans, access }: GuardRules): void {
    const share = (rulings: PackedRulings | null): PackedRulings | null => rulings && shareRulings(rulings);
    this.#rules = { allowed: share(allowed), bans: share(bans), access: share(access) };
    this.#guard.rules = this.#rules;
  }

  #serving(): { pid: number; listening: Endpoint } {
    return { pid: process.pid, listening: { host: this.#revision.settings.listen.host, port: this.#port } };
  }

  async #opened(worker: Worker, fds: number[] | null): Promise<number | null> {
    const message = await answered(worker, { type: 'open', fds }, 'listening');
    return message?.port ?? null;
  }

  /** From now on the journal may have rows that are not ours, and must not be rewritten. */
  #writtenByOthers(): void {
    if (this.#beside) return;
    this.#beside = true;
    this.#tail?.skip();
    this.#tail?.start();
  }

  async #startWorker(index: number): Promise<number> {
    const fds = this.#paused ? [] : await this.#sockets(index, this.#workers.length);
    const worker = new Worker(entryUrl('daemon/engine/worker'), {
      workerData: {
        worker: index,
        workers: this.#workers.length,
        revision: this.#forWorkers(),
        port: this.#port,
        fds,
        seed: this.#seed,
        memory: this.#tables.memory,
        rules: this.#rules,
      },
    });
    this.#workers[index] = worker;
    worker.on('message', (message: WorkerMessage) => {
      if (message.type === 'event') this.#tell(message.event);
      if (message.type === 'fate') this.#fates.settle(message.from, message.result);
      if (message.type === 'offence') this.#report(message.offence);
    });
    let cause = 'it ended by itself';
    worker.on('error', (error: unknown) => (cause = causeOf(error)));
    worker.once('exit', () => this.#ended(index, cause));
    return new Promise((resolve, reject) => {
      worker.on('message', (message: WorkerMessage) => {
        if (message.type === 'listening') {
          if (message.accelerator === 'none') this.#accelerator = 'none';
          resolve(message.port);
        }
        if (message.type === 'failed') {
          cause = message.message;
          reject(new ListenError(message.code, message.message));
        }
      });
      worker.once('exit', () => reject(new ListenError('EWORKER', `worker ${index} ended while starting`)));
    });
  }

  /** A worker that ends on its own takes its connections along, but not what they held nor the port: another is started. */
  #ended(index: number, cause: string): void {
    this.#workers[index] = null;
    if (this.#stopping) return;
    this.#failures += 1;
    const connections = this.#tables.release(index);
    this.#tell(fault('worker_failed', { worker: index, cause, connections }));
    this.#restart(index);
  }

  /** A worker that keeps ending, or finds no port to listen on, is started ever more rarely. */
  #restart(index: number): void {
    if (this.#draining) return;
    const now = performance.now();
    const { inARow, at } = this.#restarts[index] ?? { inARow: 0, at: now };
    const next = now - at > HEALTHY_MS ? 1 : inARow + 1;
    this.#restarts[index] = { inARow: next, at: now };
    setTimeout(
      () => {
        if (this.#draining) return;
        this.#startWorker(index).then(
          () => this.#tell({ level: 'info', event: 'worker_restarted', detail: { worker: index } }),
          // Its end has it tried again.
          async () => this.#workers[index]?.terminate(),
        );
      },
      backOffMs(next, Math.random()),
    );
  }

  #forWorkers(): WorkerRevision {
    const { id, settings, users } = this.#revision;
    const dcSlots = this.#dcSlots.assign(settings.telegram.dcs);
    return { id, settings, dcSlots, users: packUsers(users, (id) => this.#users.rowOf(id)) };
  }

  #dcStats(): EngineStats['dcs'] {
    const { telegram } = this.#revision.settings;
    const tables = {
      slots: this.#dcSlots.assign(telegram.dcs),
      breakers: this.#tables.breakers,
      warm: this.#tables.warm,
    };
    return describeDcs(telegram, tables, monotonicMs());
  }

  #post(request: WorkerRequest): void {
    for (const worker of this.#workers) worker?.postMessage(request);
  }

  async #compact(): Promise<void> {
    const { replayFile } = this.#revision.settings;
    if (replayFile === null || this.#beside) return;
    try {
      await compactReplays(replayFile, this.#tables.replay, unixSeconds());
    } catch (error) {
      this.#tell(fault('replay_journal_failed', { message: messageOf(error) }));
    }
  }
}

/** What ended a worker, and where. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [, place = ''] = error.stack?.split('\n    at ') ?? [];
  return place === '' ? error.message : `${error.message} (at ${place})`;
}

/** Key of the hash of networks: the same in all engines of a daemon, so that they can tell each other of networks. */
function networkSeed(key: Uint8Array): [number, number] {
  const words = createHmac('sha256', key).update('networks').digest();
  return [words.readInt32LE(0), words.readInt32LE(4)];
}

function fault(event: string, detail: EngineEvent['detail']): EngineEvent {
  return { level: 'error', event, detail };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

async function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

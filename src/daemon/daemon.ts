import path from 'node:path';
import type { Settings } from '../lib/config/schema.ts';
import type {
  CoverStatus,
  DcStatus,
  HandOver,
  Proof,
  ReloadPlan,
  ReloadReply,
  StatusReply,
  UsageReply,
} from '../lib/control/schema.ts';
import type { ProbeEdges } from '../lib/probe/dc.ts';
import type { Paths } from '../lib/system/paths.ts';
import type { User } from '../lib/users/user.ts';
import { applyNext, handOverTo } from './change.ts';
import { InForce } from './in-force.ts';
import { Probes } from './probes.ts';
import { accessChanges, chooseTried } from './proofs.ts';
import { type Machine, makeRevision } from './revision.ts';
import { readStatus } from './status.ts';
import { keepStructural } from './structural.ts';
import type { EngineRevision, EngineUser } from './supervisor/engine.ts';
import type { Supervisor } from './supervisor/supervisor.ts';
import type { Log } from './telemetry/log.ts';
import { connectionsOfAll, usageOfAll } from './totals.ts';
import type { Wanted } from './wanted.ts';

export interface DaemonParts {
  paths: Paths;
  version: string;
  machine: Machine;
  supervisor: Supervisor;
  log: Log;
  edges: ProbeEdges;
  /** Read the files again; rejects where they cannot be used. Users of the same generation as `known` are not opened again. */
  read: (known?: Wanted) => Promise<Wanted>;
  /** Called before an engine is started as another user. */
  runAs: (user: string) => Promise<void>;
  /** Called with what is in force, at the start and after every change of it. */
  inForce: (wanted: Wanted, revision: string) => Promise<void>;
}

/** What runs now, and how it becomes what the files say. */
export class Daemon {
  readonly #parts: DaemonParts;
  readonly #startedAt: number;
  readonly #probes: Probes;
  readonly #inForce: InForce;
  /** Changes of the revision come one after another, or an older one could win. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(parts: DaemonParts, wanted: Wanted, probes: Probes) {
    this.#parts = parts;
    this.#startedAt = parts.edges.now();
    this.#probes = probes;
    this.#inForce = new InForce(wanted, maker(parts, probes));
  }

  static async create(parts: DaemonParts, wanted: Wanted): Promise<Daemon> {
    return new Daemon(parts, wanted, await Probes.load(parts, wanted.settings));
  }

  get settings(): Settings {
    return this.wanted.settings;
  }

  /** What is in force. */
  get wanted(): Wanted {
    return this.#inForce.wanted;
  }

  get revision(): EngineRevision {
    return this.#inForce.revision;
  }

  /** What a reload would do. Rejects where the files cannot be used. */
  async plan(): Promise<ReloadPlan> {
    const read = await this.#parts.read(this.wanted);
    const next = this.#inForce.make(read);
    const { restartNeeded } = keepStructural(this.settings, read.settings);
    return { revision: next.id, changed: next.id !== this.revision.id, restartNeeded };
  }

  /**
   * Serve what the files say now, and prove that it is so. Where a proof does not hold, what was in force before is restored
   * and the error says so. With `handOver` settings that need another engine process get one; without it they are named.
   */
  async reload({ handOver = false } = {}): Promise<ReloadReply> {
    return this.#inTurn(async () => {
      const { supervisor, edges, log } = this.#parts;
      const parts = this.#changeParts;
      const read = await this.#parts.read();
      const { settings, restartNeeded } = keepStructural(this.settings, read.settings);
      const whole = handOver && restartNeeded.length > 0;
      const wanted = whole ? read : { ...read, settings };
      const revision = this.#inForce.make(wanted);
      // An engine that is waiting to be started again is started now.
      const byHandOver = whole || supervisor.state.state !== 'running';
      const changed = byHandOver || revision.id !== this.revision.id;
      const changes = accessChanges(this.wanted.users, read.users, edges.now());
      const tried = chooseTried(changes);
      const untried = changed ? changes.length - tried.length : changes.length;
      const next = { wanted, revision, changes: tried };
      const from = performance.now();
      const open = await connectionsOfAll(supervisor);
      let switched: HandOver | null = null;
      let proofs: Proof[] = [];
      if (byHandOver) ({ switched, proofs } = await handOverTo(parts, next));
      else if (changed) proofs = await applyNext(parts, next);
      const pending = whole ? [] : restartNeeded;
      // A text of which a part has to wait is not in force.
      await this.#settle(pending.length > 0 ? { ...wanted, text: undefined } : wanted, revision);
      const left = await connectionsOfAll(supervisor);
      const connections =
        open === null || left === null
          ? null
          : { before: open.relayed, after: left.relayed, cut: Math.max(0, left.cut - open.cut) };
      const failed = proofs.filter(({ ok }) => !ok).length;
      const ms = Math.round(performance.now() - from);
      const detail = { revision: revision.id.slice(0, 12), changed, proofs: proofs.length, failed, untried, ms };
      log(failed > 0 ? 'error' : 'info', 'reloaded', detail);
      if (pending.length > 0) log('warn', 'hand_over_needed', { settings: pending.join(', ') });
      return {
        revision: revision.id,
        changed,
        restartNeeded: pending,
        handOver: switched,
        proofs,
        untried,
        connections,
      };
    });
  }

  /** Put a new process in the place of the engine, of the same package or of that with this entry. */
  async renewEngine(module?: URL): Promise<{ switched: HandOver; proofs: Proof[] }> {
    return this.#inTurn(async () => {
      const { wanted, revision } = this.#inForce;
      return handOverTo(this.#changeParts, { wanted, revision, changes: [] }, module);
    });
  }

  async refreshDcs(): Promise<DcStatus[]> {
    return this.#probes.refreshDcs(this.revision.settings);
  }

  /** Probe the cover; a new shape is served from now on. */
  async refreshCover(): Promise<CoverStatus> {
    const { status, changed } = await this.#probes.refreshCover(this.settings.cover);
    if (changed) await this.#inTurn(async () => this.#serveShape(status));
    return status;
  }

  async status(): Promise<Omit<StatusReply, 'usage' | 'announcements'>> {
    const [startedAt, inForce, probes] = [this.#startedAt, this.#inForce, this.#probes];
    return readStatus({ ...this.#parts, startedAt, inForce, probes });
  }

  /** What users and secrets did since the start of the engines that run, those that drain included. */
  async usage(): Promise<UsageReply> {
    return { rows: await usageOfAll(this.#parts.supervisor) };
  }

  get #changeParts() {
    return { ...this.#parts, inForce: this.#inForce };
  }

  async #serveShape({ domain }: CoverStatus): Promise<void> {
    const { wanted } = this;
    const next = this.#inForce.make(wanted);
    if (next.id === this.revision.id) return;
    await this.#parts.supervisor.apply(next);
    this.#inForce.set(wanted, next);
    this.#parts.log('info', 'cover_shape_applied', { domain, revision: next.id.slice(0, 12) });
  }

  async #settle(wanted: Wanted, revision: EngineRevision): Promise<void> {
    this.#inForce.set(wanted, revision);
    await this.#parts.inForce(wanted, revision.id);
  }

  async #inTurn<Result>(action: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** Makes revisions of this daemon: on this machine, with its directories and its key of networks. */
function maker({ machine, paths, edges }: DaemonParts, probes: Probes): (wanted: Wanted) => EngineRevision {
  const networkKey = edges.random(32);
  const made = new WeakMap<User, EngineUser>();
  const directory = path.join(paths.state, 'engine');
  return (wanted) => {
    const revision = makeRevision({
      ...wanted,
      profiles: probes.profiles(wanted.settings.cover),
      machine,
      replayFile: path.join(directory, 'replay.journal'),
      usageDirectory: directory,
      now: edges.now(),
      made,
    });
    return { ...revision, networkKey };
  };
}

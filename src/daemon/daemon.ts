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
import { EXIT, MtpError } from '../lib/errors.ts';
import type { ProbeEdges } from '../lib/probe/dc.ts';
import type { Paths } from '../lib/system/paths.ts';
import {
  cachedProfile,
  type CoverCache,
  loadCoverCache,
  nameTarget,
  refreshCover,
  saveCoverCache,
} from './jobs/cover-profiles.ts';
import { probeDcs } from './jobs/dc-latency.ts';
import { readProcess } from './process-facts.ts';
import {
  type AccessChange,
  accessChanges,
  chooseTried,
  proveAccess,
  type Prover,
  refuting,
  standingAccess,
} from './proofs.ts';
import { effectiveCap, type Machine, makeRevision } from './revision.ts';
import { keepStructural } from './structural.ts';
import type { Endpoint, Engine, EngineRevision } from './supervisor/engine.ts';
import type { Supervisor } from './supervisor/supervisor.ts';
import type { Log } from './telemetry/log.ts';
import { connectionsOfAll, usageOfAll } from './totals.ts';
import type { Wanted } from './wanted.ts';
import { withholdLost } from './withhold.ts';

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

/** What runs now: the settings and users in force, the engine that serves them, and what the probes saw last. */
export class Daemon {
  readonly #parts: DaemonParts;
  readonly #startedAt: number;
  readonly #cacheFile: string;
  #wanted: Wanted;
  #cache: CoverCache;
  #revision: EngineRevision;
  #dcs: DcStatus[] = [];
  #cover: CoverStatus;
  /** Changes of the revision come one after another, or an older one could win. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(parts: DaemonParts, wanted: Wanted, cacheFile: string, cache: CoverCache) {
    this.#parts = parts;
    this.#startedAt = parts.edges.now();
    this.#wanted = wanted;
    this.#cacheFile = cacheFile;
    this.#cache = cache;
    this.#revision = this.#make(wanted);
    this.#cover = unknownCover(this.#revision);
  }

  static async create(parts: DaemonParts, wanted: Wanted): Promise<Daemon> {
    const cacheFile = path.join(parts.paths.state, 'cover-profiles.json');
    return new Daemon(parts, wanted, cacheFile, await loadCoverCache(cacheFile));
  }

  get settings(): Settings {
    return this.#wanted.settings;
  }

  /** What is in force. */
  get wanted(): Wanted {
    return this.#wanted;
  }

  get revision(): EngineRevision {
    return this.#revision;
  }

  /** What a reload would do. Rejects where the files cannot be used. */
  async plan(): Promise<ReloadPlan> {
    const read = await this.#parts.read(this.#wanted);
    const next = this.#make(read);
    const { restartNeeded } = keepStructural(this.#wanted.settings, read.settings);
    return { revision: next.id, changed: next.id !== this.#revision.id, restartNeeded };
  }

  /**
   * Serve what the files say now, and prove that it is so. Where a proof does not hold, what was in force before is restored
   * and the error says so. With `handOver` settings that need another engine process get one; without it they are named.
   */
  async reload({ handOver = false } = {}): Promise<ReloadReply> {
    return this.#inTurn(async () => {
      const read = await this.#parts.read();
      const { settings, restartNeeded } = keepStructural(this.#wanted.settings, read.settings);
      const whole = handOver && restartNeeded.length > 0;
      const wanted = whole ? read : { ...read, settings };
      const next = this.#make(wanted);
      // An engine that is waiting to be started again is started now.
      const byHandOver = whole || this.#parts.supervisor.state.state !== 'running';
      const changed = byHandOver || next.id !== this.#revision.id;
      const changes = accessChanges(this.#wanted.users, read.users, this.#parts.edges.now());
      const tried = chooseTried(changes);
      const untried = changed ? changes.length - tried.length : changes.length;
      const from = performance.now();
      const open = await connectionsOfAll(this.#parts.supervisor);
      let switched: HandOver | null = null;
      let proofs: Proof[] = [];
      if (byHandOver) ({ switched, proofs } = await this.#handOver(wanted, next, tried));
      else if (changed) proofs = await this.#apply(wanted, next, tried);
      const pending = whole ? [] : restartNeeded;
      // A text of which a part has to wait is not in force.
      await this.#settle(pending.length > 0 ? { ...wanted, text: undefined } : wanted, next);
      const left = await connectionsOfAll(this.#parts.supervisor);
      const connections =
        open === null || left === null
          ? null
          : { before: open.relayed, after: left.relayed, cut: Math.max(0, left.cut - open.cut) };
      const failed = proofs.filter(({ ok }) => !ok).length;
      const detail = {
        revision: next.id.slice(0, 12),
        changed,
        proofs: proofs.length,
        failed,
        untried,
        ms: since(from),
      };
      this.#parts.log(failed > 0 ? 'error' : 'info', 'reloaded', detail);
      if (pending.length > 0) this.#parts.log('warn', 'hand_over_needed', { settings: pending.join(', ') });
      return { revision: next.id, changed, restartNeeded: pending, handOver: switched, proofs, untried, connections };
    });
  }

  /** Put a new process in the place of the engine, of the same package or of that with this entry. */
  async renewEngine(module?: URL): Promise<{ switched: HandOver; proofs: Proof[] }> {
    return this.#inTurn(async () => this.#handOver(this.#wanted, this.#revision, [], module));
  }

  async refreshDcs(): Promise<DcStatus[]> {
    const { telegram, socks5 } = this.#revision.settings;
    const edges = { ...this.#parts.edges, ...(socks5 === null ? {} : { via: socks5 }) };
    this.#dcs = await probeDcs(telegram, edges);
    const down = this.#dcs.filter(({ ok }) => !ok);
    if (down.length > 0) {
      const reasons = [...new Set(down.map(({ reason }) => reason))].join('; ');
      this.#parts.log('warn', 'dcs_unreachable', { dcs: down.map(({ dc }) => dc).join(','), reason: reasons });
    }
    return this.#dcs;
  }

  /** Probe the cover; a new shape is kept on disk and served from now on. */
  async refreshCover(): Promise<CoverStatus> {
    const { domain, target } = this.#wanted.settings.cover;
    const { cache, status } = await refreshCover(this.#cache, { domain, target }, this.#parts.edges);
    this.#cover = status;
    if (status.state !== 'ok')
      this.#parts.log('warn', `cover_${status.state.replace('-', '_')}`, { domain, reason: status.reason });
    if (cache === this.#cache) return status;
    this.#cache = cache;
    await saveCoverCache(this.#cacheFile, cache);
    await this.#inTurn(async () => {
      const next = this.#make(this.#wanted);
      if (next.id === this.#revision.id) return;
      await this.#parts.supervisor.apply(next);
      this.#revision = next;
      this.#parts.log('info', 'cover_shape_applied', { domain, revision: next.id.slice(0, 12) });
    });
    return status;
  }

  async status(): Promise<Omit<StatusReply, 'usage' | 'announcements'>> {
    const { supervisor, version, machine } = this.#parts;
    const { pid } = supervisor.state;
    const { users, settings } = this.#wanted;
    const stats = supervisor.state.state === 'running' ? await supervisor.stats() : null;
    const draining = await Promise.all(
      supervisor.retired.map(async ({ engine, ...facts }) => ({
        ...facts,
        connections: await engine.stats().then(
          ({ connections }) => connections.current,
          () => null,
        ),
      })),
    );
    return {
      version,
      pid: process.pid,
      startedAt: this.#startedAt,
      revision: stats?.revision ?? this.#revision.id,
      engine: {
        ...supervisor.state,
        workers: stats?.workers ?? this.#revision.settings.workers,
        accelerator: stats?.accelerator ?? null,
        loopingEnds: supervisor.loopingEnds,
        process: pid === null ? null : await readProcess(pid),
        draining,
      },
      cap: effectiveCap(settings.limits.connections, machine),
      users: { total: users.length, enabled: users.filter(({ enabled }) => enabled).length },
      traffic: stats && {
        connections: stats.connections,
        handshakes: stats.handshakes,
        closes: stats.closes,
        workerFailures: stats.workerFailures,
        faults: stats.faults,
        bytes: stats.bytes,
        rssBytes: stats.rssBytes,
      },
      dcs: this.#dcs,
      dcAddresses: stats?.dcs ?? [],
      cover: this.#cover,
    };
  }

  /** What users and secrets did since the start of the engines that run, those that drain included. */
  async usage(): Promise<UsageReply> {
    return { rows: await usageOfAll(this.#parts.supervisor) };
  }

  #make(wanted: Wanted): EngineRevision {
    const { machine, paths, edges } = this.#parts;
    const profiles = cachedProfile(this.#cache, wanted.settings.cover);
    return makeRevision({
      ...wanted,
      profiles,
      machine,
      replayFile: path.join(paths.state, 'engine', 'replay.journal'),
      usageDirectory: path.join(paths.state, 'engine'),
      now: edges.now(),
    });
  }

  /** The engine that serves clients, for handshakes. */
  #prover(listening: Endpoint, { settings }: EngineRevision): Prover {
    return { listening, settings, engine: this.#parts.supervisor.serving };
  }

  /** Tell the engine, see whether it behaves, and take it back where it does not. */
  async #apply(wanted: Wanted, next: EngineRevision, changes: AccessChange[]): Promise<Proof[]> {
    const { supervisor, edges } = this.#parts;
    try {
      await supervisor.apply(next);
      const { listening } = await supervisor.stats();
      const shown = changes.length > 0 ? changes : standingAccess(wanted.users, edges);
      const proofs = await proveAccess(shown, this.#prover(listening, next), edges);
      assertProved(proofs, next);
      return proofs;
    } catch (error) {
      throw await this.#takenBack(error, wanted, next, async () => {
        await supervisor.apply(this.#revision);
        return (await supervisor.stats()).listening;
      });
    }
  }

  async #handOver(
    wanted: Wanted,
    next: EngineRevision,
    changes: AccessChange[],
    module?: URL,
  ): Promise<{ switched: HandOver; proofs: Proof[] }> {
    const { supervisor, edges } = this.#parts;
    const previousPid = supervisor.state.pid;
    const drainMs = wanted.settings.shutdown.retire_timeout;
    const standing = standingAccess(wanted.users, edges);
    const from = performance.now();
    const prove = async (probes: Endpoint[], engine: Engine): Promise<void> => {
      const provers = probes.map((listening): Prover => ({ listening, settings: next.settings, engine }));
      const [first] = provers;
      const tried = await Promise.all([
        ...provers.map(async (prover) => proveAccess(standing, prover, edges)),
        first === undefined ? [] : proveAccess(changes, first, edges),
      ]);
      assertProved(tried.flat(), next);
    };
    this.#parts.log('info', 'hand_over_started', { engine: previousPid, revision: next.id.slice(0, 12) });
    const wasModule = supervisor.module;
    const before = this.#wanted.settings.engine.user;
    await this.#parts.runAs(wanted.settings.engine.user);
    const done = await supervisor.handOver(next, { prove, drainMs, module }).catch(async (error: unknown) => {
      await this.#parts.runAs(before);
      throw error;
    });
    const { serving, version } = done;
    try {
      const shown = changes.length > 0 ? changes : standing;
      const proofs = await proveAccess(shown, this.#prover(serving.listening, next), edges);
      assertProved(proofs, next);
      const draining =
        (
          await supervisor.retired
            .at(-1)
            ?.engine.stats()
            .catch(() => undefined)
        )?.connections.current ?? 0;
      const pausedMs = Math.round(done.pausedMs);
      const switched = { pid: serving.pid, previousPid, version, pausedMs, tookMs: since(from), draining };
      this.#parts.log('info', 'handed_over', { engine: serving.pid, before: previousPid, version, pausedMs, draining });
      return { switched, proofs };
    } catch (error) {
      throw await this.#takenBack(error, wanted, next, async () => {
        await this.#parts.runAs(before);
        const back = await supervisor.handOver(this.#revision, {
          prove: async () => undefined,
          drainMs,
          module: wasModule ?? null,
        });
        return back.serving.listening;
      });
    }
  }

  /** Restore what was in force, without access that was to be taken away; see whether that holds, and make the error that says so. */
  async #takenBack(
    cause: unknown,
    wanted: Wanted,
    next: EngineRevision,
    restore: () => Promise<Endpoint>,
  ): Promise<MtpError> {
    const why = cause instanceof Error ? cause.message : String(cause);
    this.#wanted = { ...this.#wanted, users: withholdLost(this.#wanted.users, wanted.users) };
    this.#revision = this.#make(this.#wanted);
    const [failed, before] = [next.id.slice(0, 12), this.#revision.id.slice(0, 12)];
    let outcome: string;
    try {
      const listening = await restore();
      const standing = standingAccess(this.#wanted.users, this.#parts.edges);
      const proofs = await proveAccess(standing, this.#prover(listening, this.#revision), this.#parts.edges);
      const wrong = refuting(proofs, this.#revision.settings);
      outcome =
        wrong.length === 0
          ? `revision ${before} is in force again, and handshakes show it`
          : `revision ${before} is in force again, but does not pass either: ${inWords(wrong)}`;
    } catch (error) {
      outcome = `revision ${before} could not be restored: ${error instanceof Error ? error.message : String(error)}`;
    }
    this.#parts.log('error', 'reload_rolled_back', { revision: failed, reason: why, outcome });
    return new MtpError('ROLLED_BACK', `revision ${failed} did not hold: ${why}; ${outcome}`, {
      cause,
      exit: EXIT.rolledBack,
      hint: 'The files say what did not hold: correct them and reload, or see "mtp config history".',
    });
  }

  async #settle(wanted: Wanted, revision: EngineRevision): Promise<void> {
    this.#wanted = wanted;
    this.#revision = revision;
    await this.#parts.inForce(wanted, revision.id);
  }

  async #inTurn<Result>(action: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

function unknownCover({ settings: { cover } }: EngineRevision): CoverStatus {
  const profile = cover.profiles[cover.domain];
  return {
    domain: cover.domain,
    target: nameTarget(cover.target),
    state: 'unknown',
    checkedAt: null,
    reason: null,
    flightBytes: profile?.flightBytes ?? null,
    postQuantum: profile?.postQuantum ?? null,
  };
}

function assertProved(proofs: Proof[], { settings }: EngineRevision): void {
  const wrong = refuting(proofs, settings);
  if (wrong.length > 0) throw new MtpError('NOT_PROVED', inWords(wrong));
}

function inWords(proofs: Proof[]): string {
  return proofs.map(({ name, detail }) => `${name}: ${detail}`).join('; ');
}

function since(from: number): number {
  return Math.round(performance.now() - from);
}

import path from 'node:path';
import type { Settings } from '../lib/config/schema.ts';
import type { CoverStatus, DcStatus, ReloadReply, StatusReply } from '../lib/control/schema.ts';
import type { ProbeEdges } from '../lib/probe/dc.ts';
import type { Paths } from '../lib/system/paths.ts';
import type { User } from '../lib/users/user.ts';
import {
  cachedProfile,
  type CoverCache,
  loadCoverCache,
  nameTarget,
  refreshCover,
  saveCoverCache,
} from './jobs/cover-profiles.ts';
import { probeDcs } from './jobs/dc-latency.ts';
import { accessChanges, chooseTried, proveAccess } from './proofs.ts';
import { effectiveCap, type Machine, makeRevision } from './revision.ts';
import { keepStructural } from './structural.ts';
import type { EngineRevision } from './supervisor/engine.ts';
import type { Supervisor } from './supervisor/supervisor.ts';
import type { Log } from './telemetry/log.ts';

/** What an installation's files say. */
export interface Wanted {
  settings: Settings;
  users: User[];
}

export interface DaemonParts {
  paths: Paths;
  version: string;
  machine: Machine;
  supervisor: Supervisor;
  log: Log;
  edges: ProbeEdges;
  /** Read the files again; rejects where they cannot be used. */
  read: () => Promise<Wanted>;
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

  get revision(): EngineRevision {
    return this.#revision;
  }

  /** Serve what the files say now, and prove for every user whose access changed that it did. */
  async reload(): Promise<ReloadReply> {
    return this.#inTurn(async () => {
      const read = await this.#parts.read();
      const { settings, restartNeeded } = keepStructural(this.#wanted.settings, read.settings);
      const wanted = { settings, users: read.users };
      const next = this.#make(wanted);
      const changed = next.id !== this.#revision.id;
      const changes = accessChanges(this.#wanted.users, read.users, this.#parts.edges.now());
      if (changed) await this.#parts.supervisor.apply(next);
      this.#revision = next;
      this.#wanted = wanted;
      const { listening } = this.#parts.supervisor.state;
      const tried = listening === null || !changed ? [] : chooseTried(changes);
      const proofs = listening === null ? [] : await proveAccess(tried, listening, next.settings, this.#parts.edges);
      const untried = changes.length - proofs.length;
      const failed = proofs.filter(({ ok }) => !ok).length;
      const detail = { revision: next.id.slice(0, 12), changed, proofs: proofs.length, failed, untried };
      this.#parts.log(failed > 0 ? 'error' : 'info', 'reloaded', detail);
      if (restartNeeded.length > 0) this.#parts.log('warn', 'restart_needed', { settings: restartNeeded.join(', ') });
      return { revision: next.id, changed, restartNeeded, proofs, untried };
    });
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

  async status(): Promise<StatusReply> {
    const { supervisor, version, machine } = this.#parts;
    const { users, settings } = this.#wanted;
    const stats = supervisor.state.state === 'running' ? await supervisor.stats() : null;
    return {
      version,
      pid: process.pid,
      startedAt: this.#startedAt,
      revision: stats?.revision ?? this.#revision.id,
      engine: {
        ...supervisor.state,
        workers: stats?.workers ?? this.#revision.settings.workers,
        accelerator: stats?.accelerator ?? null,
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

  #make(wanted: Wanted): EngineRevision {
    const { machine, paths, edges } = this.#parts;
    const profiles = cachedProfile(this.#cache, wanted.settings.cover);
    return makeRevision({
      ...wanted,
      profiles,
      machine,
      replayFile: path.join(paths.state, 'replay.journal'),
      now: edges.now(),
    });
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

import path from 'node:path';
import type { Settings } from '../lib/config/schema.ts';
import type { CoverStatus, DcStatus } from '../lib/control/schema.ts';
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
import type { CoverProfile, EngineSettings } from './supervisor/engine.ts';
import type { Log } from './telemetry/log.ts';

interface ProbesParts {
  paths: Paths;
  log: Log;
  edges: ProbeEdges;
}

/** What the probes of Telegram and of the cover saw last. */
export class Probes {
  readonly #parts: ProbesParts;
  readonly #cacheFile: string;
  #cache: CoverCache;
  #dcs: DcStatus[] = [];
  #cover: CoverStatus;

  private constructor(parts: ProbesParts, cacheFile: string, cache: CoverCache, { cover }: Settings) {
    this.#parts = parts;
    this.#cacheFile = cacheFile;
    this.#cache = cache;
    this.#cover = unknownCover(cover, this.profiles(cover)[cover.domain]);
  }

  /** With the shapes of covers that were measured before. */
  static async load(parts: ProbesParts, settings: Settings): Promise<Probes> {
    const cacheFile = path.join(parts.paths.state, 'cover-profiles.json');
    return new Probes(parts, cacheFile, await loadCoverCache(cacheFile), settings);
  }

  get dcs(): DcStatus[] {
    return this.#dcs;
  }

  get cover(): CoverStatus {
    return this.#cover;
  }

  /** Measured covers by domain. */
  profiles(cover: Settings['cover']): Record<string, CoverProfile> {
    return cachedProfile(this.#cache, cover);
  }

  async refreshDcs({ telegram, socks5 }: Pick<EngineSettings, 'telegram' | 'socks5'>): Promise<DcStatus[]> {
    const { edges, log } = this.#parts;
    this.#dcs = await probeDcs(telegram, { ...edges, ...(socks5 === null ? {} : { via: socks5 }) });
    const down = this.#dcs.filter(({ ok }) => !ok);
    if (down.length > 0) {
      const reasons = [...new Set(down.map(({ reason }) => reason))].join('; ');
      log('warn', 'dcs_unreachable', { dcs: down.map(({ dc }) => dc).join(','), reason: reasons });
    }
    return this.#dcs;
  }

  /** Look at the cover; `changed` where it has another shape than is known, which is kept on disk. */
  async refreshCover({ domain, target }: Settings['cover']): Promise<{ status: CoverStatus; changed: boolean }> {
    const { edges, log } = this.#parts;
    const { cache, status } = await refreshCover(this.#cache, { domain, target }, edges);
    this.#cover = status;
    if (status.state !== 'ok')
      log('warn', `cover_${status.state.replace('-', '_')}`, { domain, reason: status.reason });
    const changed = cache !== this.#cache;
    this.#cache = cache;
    if (changed) await saveCoverCache(this.#cacheFile, cache);
    return { status, changed };
  }
}

function unknownCover({ domain, target }: Settings['cover'], profile: CoverProfile | undefined): CoverStatus {
  return {
    domain,
    target: nameTarget(target),
    state: 'unknown',
    checkedAt: null,
    reason: null,
    flightBytes: profile?.flightBytes ?? null,
    postQuantum: profile?.postQuantum ?? null,
  };
}

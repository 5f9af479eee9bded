import { execFileSync } from 'node:child_process';
import { BuiltinEngine } from '../src/daemon/supervisor/builtin.ts';
import type { EngineRevision, EngineSettings, EngineUser } from '../src/daemon/supervisor/engine.ts';
import { engineUser } from '../test/support/engine-user.ts';
import { isOver, watchOver } from './children.ts';
import { type Running, secretOf, type Site } from './site.ts';

/** The engine of this package, started as the supervisor starts it: its own process, revisions over IPC. */

export interface EngineOptions {
  fast?: boolean;
  workers?: number;
  coverConnections?: number;
  users?: EngineUser[];
  /** Cores to run on; null leaves them all. */
  cores?: string | null;
}

export interface RunningEngine extends Running {
  pid: number;
  /** Returns ms until every worker had confirmed. */
  apply: (users: EngineUser[]) => Promise<number>;
}

const HOUR_MS = 3600_000;

export async function startEngine(entry: URL, site: Site, options: EngineOptions = {}): Promise<RunningEngine> {
  const { users = [siteUser(site)], cores = site.proxyCores } = options;
  const settings = settingsOf(site, options);
  const engine = new BuiltinEngine(entry);
  let revision: EngineRevision = { id: 'r0', settings, users };
  const { pid, listening } = await engine.start(revision);
  watchOver(pid);
  if (cores !== null) execFileSync('taskset', ['-a', '-p', '-c', cores, String(pid)], { stdio: 'ignore' });
  return {
    name: 'mtp',
    pid,
    target: { at: listening, secret: secretOf(site), dc: site.dc, cover: site.cover, pids: [pid] },
    accelerated: (await engine.stats()).accelerator === 'native',
    stop: async () => {
      await engine.stop();
      isOver(pid);
    },
    apply: async (newUsers) => {
      revision = { ...revision, id: `${revision.id}+`, users: newUsers };
      const from = performance.now();
      await engine.apply(revision);
      return performance.now() - from;
    },
  };
}

export function siteUser({ key, domain }: Pick<Site, 'key' | 'domain'>, id = 'bench'): EngineUser {
  return engineUser(id, key, domain);
}

/** Accounting, limits and timers work as always; the limits are too high to be met. */
function settingsOf(site: Site, { fast = true, workers = 1, coverConnections = 8192 }: EngineOptions): EngineSettings {
  return {
    listen: { host: '127.0.0.1', port: 0, backlog: 4096 },
    workers,
    proxyProtocolFrom: [],
    modes: ['ee', 'dd'],
    transports: ['padded'],
    maxSkewSeconds: 120,
    fastMode: fast,
    telegram: {
      prefer: 'ipv4',
      dcs: { 1: [site.dc2], 2: [site.dc], 3: [site.dc], 4: [site.dc], 5: [site.dc] },
      fallbackDc: 2,
      connectMs: 5000,
    },
    warm: 0,
    socks5: null,
    replayFile: null,
    usage: { directory: null, intervalMs: 5000 },
    limits: {
      connections: 30_000,
      perSource: 30_000,
      opened: { connections: 1_000_000, windowMs: 60_000 },
      coverConnections,
      handshakeMs: 10_000,
      idleMs: HOUR_MS,
    },
    guard: { step: 5 },
    cover: {
      domain: site.domain,
      target: site.cover,
      proxyProtocol: 'off',
      connectMs: 2000,
      idleMs: 30_000,
      profiles: {},
    },
  };
}

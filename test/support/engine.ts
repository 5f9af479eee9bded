import { BuiltinEngine } from '../../src/daemon/supervisor/builtin.ts';
import type {
  EngineEvent,
  EngineRevision,
  EngineSettings,
  EngineStats,
  EngineUser,
  Offence,
} from '../../src/daemon/supervisor/engine.ts';
import { engineUser } from './engine-user.ts';
import type { FakeDc } from './fake-dc.ts';

/** The built-in engine in its own process, with everything on loopback. */

export const KEY = Buffer.from('5c1e07d2a94b33f0886e2b7f41c9da10', 'hex');

export interface RunningEngine {
  target: { host: string; port: number };
  pid: number;
  events: EngineEvent[];
  offences: Offence[];
  engine: BuiltinEngine;
  settings: EngineSettings;
  stats: () => Promise<EngineStats>;
  apply: (change: Partial<EngineSettings>, users?: EngineUser[]) => Promise<string>;
  stop: () => Promise<void>;
}

export interface EngineOptions {
  dc?: Pick<FakeDc, 'host' | 'port'>;
  cover?: { host: string; port: number };
  settings?: Partial<Omit<EngineSettings, 'limits' | 'cover'>>;
  limits?: Partial<EngineSettings['limits']>;
  coverSettings?: Partial<EngineSettings['cover']>;
  users?: EngineUser[];
}

export const me = engineUser('me', KEY.toString('hex'), 'cover.test');

/** Nothing listens on the discard port. */
const NOWHERE = { host: '127.0.0.1', port: 9 };

/** What an engine runs on in tests, with the port left to the system. */
export function engineSettings(options: EngineOptions = {}): EngineSettings {
  const { dc = NOWHERE, cover = NOWHERE } = options;
  const dcs = Object.fromEntries(
    [1, 2, 3, 4, 5, 203, 10_002].map((number) => [number, [dc].map(({ host, port }) => ({ host, port }))]),
  );
  return {
    listen: { host: '127.0.0.1', port: 0, backlog: 4096 },
    workers: 2,
    proxyProtocolFrom: [],
    modes: ['ee'],
    transports: ['padded'],
    maxSkewSeconds: 120,
    fastMode: true,
    telegram: { prefer: 'ipv4', dcs, fallbackDc: 2, connectMs: 3000 },
    warm: 0,
    socks5: null,
    replayFile: null,
    usage: { directory: null, intervalMs: 5000 },
    ...options.settings,
    limits: {
      connections: 5000,
      perSource: null,
      opened: null,
      coverConnections: 256,
      handshakeMs: 10_000,
      idleMs: 60_000,
      ...options.limits,
    },
    guard: { step: 5 },
    cover: {
      domain: 'cover.test',
      target: { host: cover.host, port: cover.port },
      proxyProtocol: 'off',
      connectMs: 2000,
      idleMs: 30_000,
      profiles: {},
      ...options.coverSettings,
    },
  };
}

export async function startEngine(options: EngineOptions = {}): Promise<RunningEngine> {
  const { users = [me] } = options;
  const settings = engineSettings(options);
  const engine = new BuiltinEngine();
  const events: EngineEvent[] = [];
  engine.onEvent((event) => events.push(event));
  const offences: Offence[] = [];
  engine.onOffence((offence) => offences.push(offence));
  let revision: EngineRevision = { id: 'r0', settings, users };
  const { pid, listening } = await engine.start(revision);
  return {
    target: listening,
    pid,
    events,
    offences,
    engine,
    settings,
    stats: async () => engine.stats(),
    apply: async (change, newUsers = revision.users) => {
      const id = `r${Number(revision.id.slice(1)) + 1}`;
      revision = { id, settings: { ...revision.settings, ...change }, users: newUsers };
      return engine.apply(revision);
    },
    stop: async () => engine.stop(),
  };
}

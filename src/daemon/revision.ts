import { createHash } from 'node:crypto';
import type { Settings } from '../lib/config/schema.ts';
import { DEFAULT_DCS } from '../lib/protocol/dc.ts';
import type { ConnectionCap } from '../lib/system/limits.ts';
import type { User, UserSecret } from '../lib/users/user.ts';
import {
  type CoverProfile,
  type EngineRevision,
  type EngineSecret,
  type EngineSettings,
  type EngineUser,
  REVISION_ROWS,
} from './supervisor/engine.ts';

/** What the machine decides where the settings say `auto`. */
export interface Machine {
  processors: number;
  cap: ConnectionCap;
}

export interface Cap {
  connections: number;
  bound: ConnectionCap['bound'] | 'configured';
}

export interface RevisionParts {
  settings: Settings;
  users: User[];
  /** Measured covers by domain. */
  profiles: Record<string, CoverProfile>;
  machine: Machine;
  replayFile: string | null;
  usageDirectory: string | null;
  /** Unix ms. */
  now: number;
  /** What users were made into before, for those who are the same object. */
  made?: WeakMap<User, EngineUser>;
}

/** Strangers must not be able to use up what clients need, nor the descriptors that the limit of connections leaves. */
const COVER_SHARE = 4;
const COVER_LEAST = 16;
const COVER_MOST = 128;

/** The daemon hears of a network well before it is banned, so that it can say what a lower threshold would do. */
const STEPS = 4;

/** Everything that the engine acts on, under a name that is the same for the same content. */
export function makeRevision(parts: RevisionParts): EngineRevision {
  const settings = engineSettings(parts);
  const { domain } = parts.settings.cover;
  const forgotten = forgottenSecrets(parts.users);
  const { made, now } = parts;
  const users = parts.users.map((user) => {
    const known = made?.get(user);
    if (known?.domain === domain) return known;
    const fresh = engineUser(user, domain, now, forgotten);
    // The memory of a revoked secret comes to an end.
    if (!user.secrets.some(({ state }) => state === 'revoked')) made?.set(user, fresh);
    return fresh;
  });
  // Users are many, and made with their keys in order: their JSON is canonical as it is.
  const content = `{"settings":${canonicalJson(settings)},"users":${JSON.stringify(users)}}`;
  return { id: createHash('sha256').update(content).digest('hex'), settings, users };
}

/** Revoked secrets that a revision has no room for, those first that were revoked first: nobody is told of their links any more. */
function forgottenSecrets(users: readonly User[]): ReadonlySet<string> {
  const secrets = users.flatMap((user) => user.secrets);
  const over = users.length + secrets.length - REVISION_ROWS;
  if (over <= 0) return new Set();
  const revoked = secrets.filter(({ state }) => state === 'revoked');
  revoked.sort((one, other) => (one.revokedAt ?? 0) - (other.revokedAt ?? 0));
  return new Set(revoked.slice(0, over).map(({ id }) => id));
}

function engineUser(
  { id, enabled, expiresAt, limits, secrets }: User,
  domain: string,
  now: number,
  forgotten: ReadonlySet<string>,
): EngineUser {
  const { connections, networks, upBytesPerSecond, downBytesPerSecond } = limits;
  return {
    domain,
    enabled,
    expiresAt,
    id,
    limits: { connections, downBytesPerSecond, networks, upBytesPerSecond },
    secrets: secrets.flatMap((secret) => (forgotten.has(secret.id) ? [] : engineSecret(secret, now))),
  };
}

/** None where even the memory of a revoked secret is over. */
function engineSecret(secret: UserSecret, now: number): EngineSecret[] {
  const { id, key, tombstoneUntil, retireLimitNetworks } = secret;
  switch (secret.state) {
    case 'active':
      return [{ id, key, maxNetworks: null, state: 'active' }];
    case 'retiring':
      return [{ id, key, maxNetworks: retireLimitNetworks, state: 'retiring' }];
    case 'draining':
      return [{ id, key, maxNetworks: null, state: 'draining' }];
    case 'revoked':
      if (tombstoneUntil !== null && tombstoneUntil <= now) return [];
      return [{ id, key, maxNetworks: null, state: 'tombstone' }];
  }
}

/** The limit that applies: what the operator chose, as far as the open files allow it, or what the machine carries. */
export function effectiveCap(wanted: number | 'auto', { cap }: Machine): Cap {
  if (wanted === 'auto' || (cap.bound === 'open-files' && wanted > cap.connections)) return cap;
  return { connections: wanted, bound: 'configured' };
}

function engineSettings({ settings, profiles, machine, replayFile, usageDirectory }: RevisionParts): EngineSettings {
  const { listen, protocol, cover, limits, telegram, upstream, engine, workers } = settings;
  const { connections } = effectiveCap(limits.connections, machine);
  const coverShare = Math.min(COVER_MOST, Math.max(COVER_LEAST, Math.floor(connections / COVER_SHARE)));
  return {
    listen: { host: listen.host, port: listen.port, backlog: listen.backlog },
    workers: workers.count === 'auto' ? machine.processors : workers.count,
    proxyProtocolFrom: listen.proxy_protocol_from,
    modes: protocol.modes,
    transports: protocol.transports,
    maxSkewSeconds: Math.ceil(protocol.max_skew / 1000),
    fastMode: protocol.fast_mode,
    limits: {
      connections,
      perSource: limits.per_source,
      opened: limits.new_connections === null ? null : { connections: limits.new_connections, windowMs: limits.window },
      coverConnections: cover.max_connections === 'auto' ? coverShare : cover.max_connections,
      handshakeMs: limits.handshake_timeout,
      idleMs: limits.idle_timeout,
    },
    guard: { step: settings.guard.threshold / STEPS },
    cover: {
      domain: cover.domain,
      target: cover.target,
      proxyProtocol: cover.proxy_protocol,
      connectMs: cover.connect_timeout,
      idleMs: cover.idle_timeout,
      profiles,
    },
    telegram: {
      prefer: telegram.prefer,
      dcs: { ...DEFAULT_DCS, ...telegram.dc },
      fallbackDc: telegram.fallback_dc,
      connectMs: telegram.connect_timeout,
    },
    warm: engine.warm,
    socks5: upstream.socks5 ?? null,
    replayFile,
    usage: { directory: usageDirectory, intervalMs: settings.usage.flush_interval },
  };
}

/** JSON with the keys of every object in order, so that equal content is equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : part,
  );
}

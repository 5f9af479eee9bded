import { formatBytes, formatDay, formatSpan, formatTime } from '../ui/format.ts';
import {
  DEVICE_CONNECTIONS,
  isAccepted,
  type Limits,
  mayConnect,
  type Quota,
  type SecretRecord,
  type UserRecord,
} from './user.ts';

/** A user as commands show them: times in ISO 8601, limits in the words that flags and CSV files take. No secrets. */
export interface UserView {
  id: string;
  name: string;
  /** `kept out` is by a limit of 0. */
  state: 'enabled' | 'disabled' | 'expired' | 'kept out' | 'no secret';
  createdAt: string;
  lastSeenAt: string | null;
  expiresAt: string | null;
  /** Null is as the settings say. */
  rotateAfterMs: number | null;
  tags: string[];
  note: string;
  limits: {
    /** Null is no limit. */
    connections: number | null;
    devices: number | null;
    networks: number | null;
    quota: { bytes: number; period: Quota['period']; start: string } | null;
    upBytesPerSecond: number | null;
    downBytesPerSecond: number | null;
  };
  secrets: SecretView[];
}

/** A secret as commands show it. */
export interface SecretView {
  id: string;
  state: SecretRecord['state'];
  createdAt: string;
  lastSeenAt: string | null;
  /** Until when a retiring one is accepted, and from how many networks at once; null is no limit. */
  retiringUntil: string | null;
  retireLimitNetworks: number | null;
  revokedAt: string | null;
  /** Until when a revoked one is remembered. */
  tombstoneUntil: string | null;
  /** Why the operator closed it; null where nobody said. */
  closeReason: string | null;
}

export function viewUser(user: UserRecord, now: number): UserView {
  const { id, name, tags, notes, limits, secrets } = user;
  const { connections, networks, quota, upBytesPerSecond, downBytesPerSecond } = limits;
  return {
    id,
    name,
    state: stateOf(user, now),
    createdAt: iso(user.createdAt),
    lastSeenAt: isoOrNull(user.lastSeenAt),
    expiresAt: isoOrNull(user.expiresAt),
    rotateAfterMs: user.rotateAfter,
    tags,
    note: notes,
    limits: {
      connections,
      devices: connections === null ? null : connections / DEVICE_CONNECTIONS,
      networks,
      quota: quota && { bytes: quota.bytes, period: quota.period, start: iso(quota.start) },
      upBytesPerSecond,
      downBytesPerSecond,
    },
    secrets: secrets.map(viewSecret),
  };
}

export function viewSecret(secret: SecretRecord): SecretView {
  const { id, state, retireLimitNetworks, closeReason } = secret;
  return {
    id,
    state,
    createdAt: iso(secret.createdAt),
    lastSeenAt: isoOrNull(secret.lastSeenAt),
    retiringUntil: isoOrNull(secret.retiringUntil),
    retireLimitNetworks,
    revokedAt: isoOrNull(secret.revokedAt),
    tombstoneUntil: isoOrNull(secret.tombstoneUntil),
    closeReason,
  };
}

function stateOf(user: UserRecord, now: number): UserView['state'] {
  if (!user.enabled) return 'disabled';
  if (user.expiresAt !== null && now >= user.expiresAt) return 'expired';
  if (!mayConnect(user, now)) return 'kept out';
  return user.secrets.some(isAccepted) ? 'enabled' : 'no secret';
}

/** Label and text of every line that says something about one user. */
export function describeUser(user: UserRecord, now: number): [string, string][] {
  const { limits, secrets } = user;
  const view = viewUser(user, now);
  return [
    ['Name', user.name],
    ['State', view.state],
    ['Added', formatTime(user.createdAt)],
    ['Last seen', user.lastSeenAt === null ? 'never' : formatTime(user.lastSeenAt)],
    ['Expires', user.expiresAt === null ? 'never' : formatTime(user.expiresAt)],
    ['Devices', describeDevices(limits.connections)],
    ['Networks', limits.networks === null ? 'no limit' : `${limits.networks} at once`],
    ['Quota', describeQuota(limits.quota)],
    ['Speed', describeSpeeds(limits)],
    ['Rotation', user.rotateAfter === null ? 'as in the settings' : `after ${formatSpan(user.rotateAfter)}`],
    ['Tags', user.tags.join(' ') || 'none'],
    ...(user.notes === '' ? [] : [['Note', user.notes] as [string, string]]),
    ...secrets.map((secret): [string, string] => ['Secret', describeSecret(secret)]),
    ['Id', user.id],
  ];
}

/** What is known of a secret, without its key. */
export function describeSecret({ id, state, createdAt, closeReason }: SecretRecord): string {
  return `${id}, ${state}, of ${formatDay(createdAt)}${closeReason === null ? '' : ` (${closeReason})`}`;
}

/** A line for everything that an operator sees otherwise than before. */
export function describeChange(before: UserRecord, after: UserRecord, now: number): string[] {
  const old = new Map(describeUser(before, now));
  const fresh = new Map(describeUser(after, now));
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .filter((label) => old.get(label) !== fresh.get(label))
    .map((label) => `${label}: ${old.get(label) ?? 'none'} -> ${fresh.get(label) ?? 'none'}`);
}

/** A user as a row of a list, under `LIST_HEADERS`; the period is the one that counts against the quota. */
export function listRow({ user, period }: { user: UserRecord; period: Used | null }, now: number): string[] {
  const { limits, expiresAt, lastSeenAt } = user;
  const { state } = viewUser(user, now);
  return [
    user.name,
    state,
    limits.connections === null ? '-' : String(limits.connections / DEVICE_CONNECTIONS),
    limits.networks === null ? '-' : String(limits.networks),
    formatBytes((period?.up ?? 0) + (period?.down ?? 0)),
    limits.quota === null ? '-' : writeQuota(limits.quota),
    expiresAt === null ? '-' : formatDay(expiresAt),
    lastSeenAt === null ? '-' : formatDay(lastSeenAt),
    user.tags.join(' '),
  ];
}

interface Used {
  up: number;
  down: number;
}

export const LIST_HEADERS = ['NAME', 'STATE', 'DEVICES', 'NETWORKS', 'USED', 'QUOTA', 'EXPIRES', 'SEEN', 'TAGS'];

/** A limit of connections in devices. */
function describeDevices(connections: number | null): string {
  if (connections === null) return 'no limit';
  return `${connections / DEVICE_CONNECTIONS} at once (${connections} connections)`;
}

function describeQuota(quota: Quota | null): string {
  if (quota === null) return 'no limit';
  const { bytes, period, start } = quota;
  return `${formatBytes(bytes)} ${period === 'total' ? 'in all' : `a ${period}`} from ${formatDay(start)}`;
}

function describeSpeeds({ upBytesPerSecond: up, downBytesPerSecond: down }: Limits): string {
  if (up === null && down === null) return 'no limit';
  return `up ${describeSpeed(up)}, down ${describeSpeed(down)}`;
}

/** As `--up` and `--down` take it. */
function describeSpeed(bytesPerSecond: number | null): string {
  if (bytesPerSecond === null) return 'no limit';
  const bits = bytesPerSecond * 8;
  return bits >= 1e6 ? `${trim(bits / 1e6)}Mbit/s` : `${trim(bits / 1e3)}kbit/s`;
}

/** As `--quota` takes it, without loss. */
export function writeQuota({ bytes, period }: Quota): string {
  const units: [string, number][] = [
    ['TB', 2 ** 40],
    ['GB', 2 ** 30],
    ['MB', 2 ** 20],
    ['KB', 2 ** 10],
  ];
  const [unit, size] = units.find(([, one]) => bytes > 0 && bytes % one === 0) ?? ['B', 1];
  return `${bytes / size}${unit}/${period}`;
}

/** As `--up` and `--down` take it, without loss. */
export function writeSpeed(bytesPerSecond: number): string {
  return `${(bytesPerSecond * 8) / 1000}kbit`;
}

function trim(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}

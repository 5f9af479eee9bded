import { EXIT, MtpError } from '../errors.ts';
import { parseSecret } from '../secret/secret.ts';
import { refuseWeak } from '../secret/weak.ts';
import type { NewUser } from './make.ts';
import { type OldSecret, readOldSecret, writeOldSecret } from './old-secrets.ts';
import { DEVICE_CONNECTIONS, NO_LIMITS, type User, type UserRecord } from './user.ts';
import { writeQuota, writeSpeed } from './describe.ts';
import { MOST_ACCEPTED } from './room.ts';
import { readWishes } from './wishes.ts';

/** The columns of a CSV file of users, in the words that the flags of `mtp user add` take. Only `name` is needed. */
export const COLUMNS = [
  'name',
  'secret',
  'old_secrets',
  'devices',
  'max_networks',
  'quota',
  'quota_from',
  'up',
  'down',
  'expires',
  'tags',
  'note',
  'enabled',
] as const;
export type Column = (typeof COLUMNS)[number];

/** A row of a file by its columns; what is empty is as if it were not there. */
export type Cells = Partial<Record<Column, string>>;

export interface Reading {
  now: number;
  allowWeak: boolean;
}

/** What stands in the column of secrets where a user has none that is active. */
const NO_SECRET = 'none';

/** A user as a row describes them. */
export interface ReadUser extends Omit<NewUser, 'key'> {
  /** Of 16 bytes each; undefined where the row leaves them open. */
  keys: Buffer[] | undefined;
  old: OldSecret[];
}

/** The user that a row describes; several secrets and tags are separated by spaces. What cannot be is an MtpError. */
export function readCells(cells: Cells, { now, allowWeak }: Reading): ReadUser {
  const { name = '', secret, devices, quota, up, down, expires, tags, note } = cells;
  const keys = readKeys(secret);
  const old = words(cells.old_secrets).map(readOldSecret);
  for (const key of [...(keys ?? []), ...old.map((one) => one.key)]) refuseWeak(key, allowWeak);
  if ((keys?.length ?? 0) > MOST_ACCEPTED) {
    throw new MtpError('USAGE', `${keys?.length} secrets are too many for one user: ${MOST_ACCEPTED} are the most`, {
      exit: EXIT.usage,
    });
  }
  const wishes = { devices, 'max-networks': cells.max_networks, quota, 'quota-from': cells.quota_from, up, down };
  const profile = readWishes({ ...wishes, expires, note, tag: words(tags) }, NO_LIMITS, now);
  return { name, ...profile, enabled: readEnabled(cells.enabled), keys, old };
}

/** The cells of a user that hold keys. */
export type SecretCells = Record<'secret' | 'old_secrets', string>;

export function secretCells(user: User): SecretCells {
  const old = user.secrets.filter(({ state }) => state !== 'active');
  return { secret: keysOf(user).join(' ') || NO_SECRET, old_secrets: old.map(writeOldSecret).join(' ') };
}

/** A user as a row; secrets, where they are asked for, as bare keys. */
export function writeCells(user: UserRecord, secrets: SecretCells): Record<Column, string> {
  const { connections, networks, quota, upBytesPerSecond, downBytesPerSecond } = user.limits;
  return {
    name: user.name,
    ...secrets,
    devices: connections === null ? '' : String(connections / DEVICE_CONNECTIONS),
    max_networks: networks === null ? '' : String(networks),
    quota: quota === null ? '' : writeQuota(quota),
    quota_from: quota === null ? '' : new Date(quota.start).toISOString(),
    up: upBytesPerSecond === null ? '' : writeSpeed(upBytesPerSecond),
    down: downBytesPerSecond === null ? '' : writeSpeed(downBytesPerSecond),
    expires: user.expiresAt === null ? '' : new Date(user.expiresAt).toISOString(),
    tags: user.tags.join(' '),
    note: user.notes,
    enabled: user.enabled ? 'yes' : 'no',
  };
}

/** The active keys of a user, in hex. */
export function keysOf({ secrets }: User): string[] {
  return secrets.filter(({ state }) => state === 'active').map(({ key }) => key);
}

function readKeys(text: string | undefined): Buffer[] | undefined {
  if (text === NO_SECRET) return [];
  const keys = words(text).map((word) => parseSecret(word).key);
  return keys.length === 0 ? undefined : keys;
}

function words(text = ''): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function readEnabled(text = 'yes'): boolean {
  const value = { yes: true, no: false }[text];
  if (value === undefined) throw new MtpError('USAGE', 'enabled is neither yes nor no', { exit: EXIT.usage });
  return value;
}

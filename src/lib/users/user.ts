import { EXIT, MtpError } from '../errors.ts';
import { formatDay } from '../ui/format.ts';

/** Telegram opens several connections at once; limits are told in devices of this many (docs/users.md). */
export const DEVICE_CONNECTIONS = 8;

export const QUOTA_PERIODS = ['day', 'week', 'month', 'total'] as const;

export interface Quota {
  bytes: number;
  period: (typeof QUOTA_PERIODS)[number];
  /** Unix time in ms from which periods are counted. */
  start: number;
}

/** What a user may use; null is no limit. */
export interface Limits {
  /** At once. */
  connections: number | null;
  /** At once; an IPv4 address or an IPv6 /64 each. */
  networks: number | null;
  quota: Quota | null;
  upBytesPerSecond: number | null;
  downBytesPerSecond: number | null;
}

export const NO_LIMITS: Readonly<Limits> = {
  connections: null,
  networks: null,
  quota: null,
  upBytesPerSecond: null,
  downBytesPerSecond: null,
};

/** `retiring` is still accepted while its successor is handed out, `draining` serves who is there and nobody new. */
export type SecretState = 'active' | 'retiring' | 'draining' | 'revoked';

/** What is known of a secret without opening it. Times are Unix ms. */
export interface SecretRecord {
  /** 16 hex digits. */
  id: string;
  state: SecretState;
  createdAt: number;
  retiringUntil: number | null;
  retireLimitNetworks: number | null;
  revokedAt: number | null;
  tombstoneUntil: number | null;
  /** Why the operator closed it; null where nobody said. */
  closeReason: string | null;
  lastSeenAt: number | null;
}

export interface UserSecret extends SecretRecord {
  /** 32 hex digits. */
  key: string;
}

/** Somebody who may connect, without their secrets' keys. Times are Unix ms. */
export interface UserRecord {
  /** Random and immutable: usage and bans refer to it, so a name can change hands. 16 hex digits. */
  id: string;
  name: string;
  enabled: boolean;
  createdAt: number;
  lastSeenAt: number | null;
  expiresAt: number | null;
  notes: string;
  /** In order. */
  tags: string[];
  limits: Limits;
  /** Age in ms at which a secret is to be replaced; null is as the settings say. */
  rotateAfter: number | null;
  /** In the order in which they were added. */
  secrets: SecretRecord[];
}

/** Somebody who may connect: the keys are theirs alone. */
export interface User extends UserRecord {
  secrets: UserSecret[];
}

const NAME = /^[\p{L}\p{N}._@-]{1,64}$/u;
const TAG = /^[\p{L}\p{N}._@:-]{1,32}$/u;
const NOTE_MAX = 500;
const REASON_MAX = 120;

/** Names differ when they differ in more than case. */
export function foldName(name: string): string {
  return name.normalize('NFKC').toLowerCase();
}

export function isUserName(name: string): boolean {
  return NAME.test(name) && !/^\.+$/.test(name);
}

/** Refuse a name that could be mistaken, break a line or leave a directory. */
export function assertUserName(name: string): void {
  if (isUserName(name)) return;
  throw new MtpError('NAME_INVALID', `${JSON.stringify(name.slice(0, 80))} cannot be a name`, {
    exit: EXIT.usage,
    hint: 'A name has 1 to 64 letters, digits or . - _ @ and is more than dots.',
  });
}

/** Tags in order, each once; a word that cannot be a tag is an error. `none` stands for "no tag" on the command line. */
export function assertTags(tags: readonly string[]): string[] {
  const bad = tags.find((tag) => !TAG.test(tag) || tag === 'none');
  if (bad !== undefined) {
    throw new MtpError('TAG_INVALID', `${JSON.stringify(bad.slice(0, 80))} cannot be a tag`, {
      exit: EXIT.usage,
      hint: 'A tag has 1 to 32 letters, digits or . - _ @ : and is not "none".',
    });
  }
  return [...new Set(tags)].sort();
}

/** Refuse a note that would break a line or a terminal. */
export function assertNote(note: string): void {
  if (!isLine(note, NOTE_MAX)) throw notALine('NOTE_INVALID', 'note', NOTE_MAX);
}

/** Refuse a reason that says nothing, or would break a line or a terminal. */
export function assertReason(reason: string): void {
  if (!isLine(reason, REASON_MAX)) throw notALine('REASON_INVALID', 'reason', REASON_MAX);
  if (reason.trim() === '') throw new MtpError('REASON_INVALID', 'the reason is empty', { exit: EXIT.usage });
}

function isLine(text: string, most: number): boolean {
  return text.length <= most && !/\p{Cc}/u.test(text);
}

function notALine(code: string, what: string, most: number): MtpError {
  return new MtpError(code, `a ${what} is one line of up to ${most} characters`, {
    exit: EXIT.usage,
    hint: 'Leave out line ends and control characters.',
  });
}

/** Whether the secret is accepted from clients. */
export function isAccepted({ state }: SecretRecord): boolean {
  return state === 'active' || state === 'retiring';
}

/** Whether a user may come in at this time. */
export function mayConnect(user: Pick<UserRecord, 'enabled' | 'expiresAt' | 'limits'>, now: number): boolean {
  return reasonKeptOut(user, now) === undefined;
}

/** Why a user is not let in at this time, in words; nothing where they are. */
export function accessWarnings(user: UserRecord, now: number): string[] {
  const why = reasonKeptOut(user, now);
  return why === undefined ? [] : [`${user.name} ${why}; the proxy does not let ${user.name} in.`];
}

/** That a user is not let in, such as `bob is disabled`, and the command that ends it. */
export interface KeptOut {
  why: string;
  remedy: string;
}

/** Why a user is not let in at this time; undefined where they are. */
export function keptOut(user: UserRecord, now: number): KeptOut | undefined {
  const why = reasonKeptOut(user, now);
  if (why === undefined) return undefined;
  const { name, enabled, expiresAt, limits } = user;
  const wish = !enabled
    ? `enable ${name}`
    : expiresAt !== null && now >= expiresAt
      ? `set ${name} --expires 30d`
      : limits.connections === 0
        ? `set ${name} --devices 3`
        : `set ${name} --max-networks none`;
  return { why: `${name} ${why}`, remedy: `mtp user ${wish}` };
}

function reasonKeptOut(
  { enabled, expiresAt, limits }: Pick<UserRecord, 'enabled' | 'expiresAt' | 'limits'>,
  now: number,
): string | undefined {
  if (!enabled) return 'is disabled';
  if (expiresAt !== null && now >= expiresAt) return `expired on ${formatDay(expiresAt)}`;
  if (limits.connections === 0) return 'may use no device';
  return limits.networks === 0 ? 'may use no network' : undefined;
}

/** The secret to hand out: the newest that is active, else the newest that is accepted at all; undefined where none is. */
export function currentSecret<Secret extends SecretRecord>({ secrets }: { secrets: Secret[] }): Secret | undefined {
  return secrets.findLast(({ state }) => state === 'active') ?? secrets.findLast(isAccepted);
}

/** As `currentSecret`, but none is an error that says what to do. */
export function requireSecret<Secret extends SecretRecord>(user: { name: string; secrets: Secret[] }): Secret {
  const secret = currentSecret(user);
  if (secret !== undefined) return secret;
  throw new MtpError('NO_SECRET', `${user.name} has no secret`, {
    exit: EXIT.precondition,
    hint: `Add one with: mtp secret add ${user.name}`,
  });
}

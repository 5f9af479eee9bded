import { parseSpan } from '../config/duration.ts';
import { EXIT, MtpError } from '../errors.ts';
import type { Profile } from './make.ts';
import { DEVICE_CONNECTIONS, type Limits, type Quota, QUOTA_PERIODS } from './user.ts';

/** What an operator writes about a user, in words, as limits and times. `none` is no limit. */

const NONE = 'none';
const BYTE_UNITS = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40, PB: 2 ** 50 } as const;
const BIT_UNITS = { kbit: 1e3, mbit: 1e6, gbit: 1e9 } as const;

/** A time beyond these is a slip of the finger. Unix ms. */
const EARLIEST = Date.UTC(2000, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);

/** Bytes a second: slower ones would look like a fault, faster ones limit nothing. */
const SLOWEST = 1000;
const FASTEST = 125e9;

/** Connections for a number of devices. */
export function parseDevices(text: string): number | null {
  const devices = parseCount(text, 'devices');
  return devices === null ? null : devices * DEVICE_CONNECTIONS;
}

export function parseNetworks(text: string): number | null {
  return parseCount(text, 'max-networks');
}

/** `50GB/month`: an amount in powers of 1024, and day, week, month or total; periods are counted from `start`, Unix ms. */
export function parseQuota(text: string, start: number): Quota | null {
  if (text === NONE) return null;
  const [, amount = '', unit = 'B', period = ''] = /^(\d{1,15}(?:\.\d{1,3})?)\s?([KMGTP]?B)\/(\w+)$/i.exec(text) ?? [];
  const size = BYTE_UNITS[unit.toUpperCase() as keyof typeof BYTE_UNITS];
  const bytes = Math.round(Number(amount) * size);
  const known = QUOTA_PERIODS.find((one) => one === period);
  if (amount === '' || known === undefined || !Number.isSafeInteger(bytes)) {
    throw wrong('quota', text, 'Write an amount and a period, such as 50GB/month, 1.5TB/total, or none.');
  }
  return { bytes, period: known, start };
}

/** `10Mbit`: bits a second in powers of 1000, as bytes a second. */
export function parseSpeed(text: string, what: 'speed' | 'up' | 'down'): number | null {
  if (text === NONE) return null;
  const [, amount = '', unit = 'mbit'] = /^(\d{1,10}(?:\.\d{1,3})?)\s?([kmg]bit)(?:\/s)?$/i.exec(text) ?? [];
  const speed = Math.round((Number(amount) * BIT_UNITS[unit.toLowerCase() as keyof typeof BIT_UNITS]) / 8);
  if (amount === '' || speed < SLOWEST || speed > FASTEST) {
    throw wrong(what, text, 'Write bits a second from 8kbit to 1000Gbit, such as 500kbit or 10Mbit, or none.');
  }
  return speed;
}

/** `30d`, `12h`, `2w` from now; or a day, which begins at 00:00 UTC, or a time in ISO 8601. Unix ms. */
export function parseExpiry(text: string, now: number): number | null {
  if (text === NONE) return null;
  const span = parseSpan(text);
  const at = span === undefined ? parseTime(text) : now + span;
  if (at !== undefined && at >= EARLIEST && at <= LATEST) return at;
  throw wrong('expires', text, 'Write a span such as 30d, a day such as 2027-01-31 (00:00 UTC), or none.');
}

/** `30d`: an hour at least. Ms. */
function parseAge(text: string): number | null {
  if (text === NONE) return null;
  const ms = parseSpan(text);
  if (ms !== undefined && ms >= 3_600_000) return ms;
  throw wrong('rotate-after', text, 'Write a span such as 30d, of 1h at least, or none.');
}

/** The day from which the periods of a quota are counted. Unix ms. */
export function parseStart(text: string): number {
  const at = parseTime(text);
  if (at !== undefined && at >= EARLIEST && at <= LATEST) return at;
  throw wrong('quota-from', text, 'Write a day such as 2027-01-01 (00:00 UTC).');
}

/** A day or a time in ISO 8601; undefined for anything else, such as the 30th of February. */
export function parseTime(text: string): number | undefined {
  const day = /^\d{4}-\d\d-\d\d/.exec(text)?.[0];
  if (day === undefined || !/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text))
    return;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // JavaScript takes the 30th of February for the 2nd of March.
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}

function parseCount(text: string, what: string): number | null {
  if (text === NONE) return null;
  if (!/^\d{1,6}$/.test(text)) throw wrong(what, text, 'Write a whole number, or none for no limit.');
  return Number(text);
}

function wrong(what: string, text: string, hint: string): MtpError {
  return new MtpError('USAGE', `${what} cannot be ${JSON.stringify(text.slice(0, 40))}`, {
    exit: EXIT.usage,
    hint,
  });
}

/** What the flags of `mtp user add` and `mtp user set` say; those that are not given are undefined. */
export interface Wishes {
  devices?: string | undefined;
  'max-networks'?: string | undefined;
  quota?: string | undefined;
  'quota-from'?: string | undefined;
  speed?: string | undefined;
  up?: string | undefined;
  down?: string | undefined;
  expires?: string | undefined;
  'rotate-after'?: string | undefined;
  tag?: string[] | undefined;
  note?: string | undefined;
}

/** What of a user's profile is wished to be other than `limits` say now; nothing where no flag is given. */
export function readWishes(wishes: Wishes, limits: Readonly<Limits>, now: number): Partial<Omit<Profile, 'enabled'>> {
  const { devices, speed, up, down, expires, tag, note } = wishes;
  const { 'rotate-after': rotateAfter } = wishes;
  const { 'max-networks': networks, quota, 'quota-from': start } = wishes;
  const given = [devices, networks, quota, start, speed, up, down].some((wish) => wish !== undefined);
  const wished: Limits = {
    connections: devices === undefined ? limits.connections : parseDevices(devices),
    networks: networks === undefined ? limits.networks : parseNetworks(networks),
    quota: wishedQuota(quota, start, limits.quota, now),
    upBytesPerSecond: wishedSpeed('up', up, speed, limits.upBytesPerSecond),
    downBytesPerSecond: wishedSpeed('down', down, speed, limits.downBytesPerSecond),
  };
  return {
    ...(given ? { limits: wished } : {}),
    ...(expires === undefined ? {} : { expiresAt: parseExpiry(expires, now) }),
    ...(rotateAfter === undefined ? {} : { rotateAfter: parseAge(rotateAfter) }),
    ...(tag === undefined ? {} : { tags: tag.length === 1 && tag[0] === NONE ? [] : tag }),
    ...(note === undefined ? {} : { notes: note }),
  };
}

/** One direction's own wish comes before that for both. */
function wishedSpeed(
  what: 'up' | 'down',
  own: string | undefined,
  both: string | undefined,
  old: number | null,
): number | null {
  if (own !== undefined) return parseSpeed(own, what);
  return both === undefined ? old : parseSpeed(both, 'speed');
}

/** Another amount for the same period leaves the period as it is: nobody's usage starts over. */
function wishedQuota(text: string | undefined, from: string | undefined, old: Quota | null, now: number): Quota | null {
  const start = from === undefined ? undefined : parseStart(from);
  const quota = text === undefined ? old : parseQuota(text, now);
  if (quota === null) {
    if (start === undefined) return null;
    throw new MtpError('USAGE', 'quota-from needs a quota', {
      exit: EXIT.usage,
      hint: 'Add --quota, such as 50GB/month.',
    });
  }
  return { ...quota, start: start ?? (quota.period === old?.period ? old.start : quota.start) };
}

/** The wish itself; one that names nothing is an error. */
export function requireWish<Wish extends object>(wish: Wish): Wish {
  if (Object.keys(wish).length > 0) return wish;
  throw new MtpError('USAGE', 'nothing is named that should change', {
    exit: EXIT.usage,
    hint: 'Name it with a flag, such as --devices 3; --help lists them.',
  });
}

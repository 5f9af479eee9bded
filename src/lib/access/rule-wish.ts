import { parseSpan } from '../config/duration.ts';
import { EXIT, MtpError } from '../errors.ts';
import { assertNote } from '../users/user.ts';
import { parseTime } from '../users/wishes.ts';
import { type Level, LEVELS, type Mode } from './level.ts';
import { parseNetworks } from './network-list.ts';
import { addressWords, cut, formatPrefix, type Prefix } from './prefix.ts';
import type { AccessRule } from './rule.ts';
import { parseWindow, type Window } from './window.ts';
import { ownZone, zoneNamed } from './zone.ts';

/** A rule that is not kept yet. */
export type RuleWish = Omit<AccessRule, 'id' | 'createdAt'>;

/** What an operator writes about a rule, in words; what is not given is as if it were not there. */
export interface RuleWords {
  level?: string | undefined;
  reason?: string | undefined;
  /** A span from now. */
  for?: string | undefined;
  until?: string | undefined;
  window?: string[] | undefined;
  zone?: string | undefined;
  mode?: string | undefined;
}

/** Unix ms; a time behind it is a slip of the finger. */
const LATEST = Date.UTC(2200, 0, 1);
const MOST_WINDOWS = 14;

/** Everything but the network. */
export function readRuleWish(words: RuleWords, now: number): Omit<RuleWish, 'prefix'> {
  const { reason = '', window = [], zone } = words;
  assertNote(reason);
  if (zone !== undefined && window.length === 0)
    throw wrong('--zone needs a --window', 'Say when, such as --window "mon-fri 09:00-17:00".');
  if (window.length > MOST_WINDOWS)
    throw wrong(`a rule has at most ${MOST_WINDOWS} windows`, 'Take several days together, such as mon-fri.');
  return {
    level: readLevel(words.level),
    mode: readMode(words.mode),
    reason,
    windows: window.map(readWindow),
    zone: window.length === 0 ? 'UTC' : readZone(zone),
    until: readUntil(words, now),
  };
}

/** A network, or those of a range `a-b`; anything else is an error that says what was meant. */
export function readNetworks(text: string): Prefix[] {
  const networks = parseNetworks(text.trim());
  if (networks !== null) return networks;
  const meant = networkAround(text.trim());
  throw new MtpError('NETWORK_INVALID', `${JSON.stringify(text.slice(0, 60))} is no network`, {
    exit: EXIT.usage,
    hint:
      meant === null
        ? 'Write an address, a network such as 192.0.2.0/24 or 2001:db8::/32, or a range such as 192.0.2.5-192.0.2.9.'
        : `Bits behind the length are set; did you mean ${meant}?`,
  });
}

/** The number of a rule, or networks. */
export function readNamed(text: string): number | Prefix[] {
  return /^\d{1,9}$/.test(text) ? Number(text) : readNetworks(text);
}

export function readLevel(text: string | undefined): Level {
  const wanted = text?.toUpperCase().replace('-', '_');
  const level = LEVELS.find((one) => one === wanted);
  if (level !== undefined) return level;
  const problem = text === undefined ? 'a level is needed' : `${JSON.stringify(text.slice(0, 40))} is no level`;
  throw wrong(problem, `Write one of ${LEVELS.join(', ')}.`);
}

function readMode(text = 'enforce'): Mode {
  if (text === 'enforce' || text === 'observe') return text;
  throw wrong(`${JSON.stringify(text.slice(0, 40))} is no mode`, 'Write enforce or observe.');
}

function readWindow(text: string): Window {
  const window = parseWindow(text);
  if (window !== null) return window;
  throw wrong(
    `${JSON.stringify(text.slice(0, 60))} is no window`,
    'Write days and hours, such as "mon-fri 09:00-17:00", "sat,sun 22:00-06:00" or "daily 01:00-24:00".',
  );
}

function readZone(text: string | undefined): string {
  const zone = text === undefined ? ownZone() : zoneNamed(text);
  if (zone !== null) return zone;
  throw wrong(
    `there is no time zone ${JSON.stringify(text?.slice(0, 40))}`,
    'Write a name such as Europe/Berlin or UTC.',
  );
}

function readUntil({ for: span, until }: RuleWords, now: number): number | null {
  if (span !== undefined && until !== undefined) throw wrong('--for and --until are the same', 'Give one of them.');
  if (span !== undefined) {
    const ms = parseSpan(span);
    if (ms !== undefined && ms > 0) return now + ms;
    throw wrong(`--for cannot be ${JSON.stringify(span.slice(0, 40))}`, 'Write a span such as 90m, 2h or 7d.');
  }
  if (until === undefined) return null;
  const at = parseTime(until);
  if (at !== undefined && at > now && at < LATEST) return at;
  throw wrong(
    `--until cannot be ${JSON.stringify(until.slice(0, 40))}`,
    'Write a time to come, such as 2027-01-31 (00:00 UTC) or 2027-01-31T18:00+01:00.',
  );
}

/** The network that an address with bits behind the length lies in. */
function networkAround(text: string): string | null {
  const [address = '', bits = ''] = text.split('/');
  const words = addressWords(address);
  if (words === null || !/^\d{1,3}$/.test(bits) || Number(bits) > 32 * words.length) return null;
  return formatPrefix(cut(words, Number(bits)));
}

function wrong(problem: string, hint: string): MtpError {
  return new MtpError('USAGE', problem, { exit: EXIT.usage, hint });
}

import path from 'node:path';
import { parseSpan } from '../config/duration.ts';
import { EXIT, MtpError } from '../errors.ts';
import { isUrl } from './feed-fetch.ts';
import type { Level, Mode } from './level.ts';

/** A feed that is not kept yet. */
export interface FeedWish {
  name: string;
  source: string;
  level: Level;
  mode: Mode;
  refreshMs: number | null;
  pin: string | null;
}

/** Who gives lists away should not be asked more often. */
const SHORTEST_MS = 300_000;
const NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/;

/** A name and a source that can be kept; a path becomes absolute. */
export function readFeedWish(wish: FeedWish): FeedWish {
  const { name, source, pin } = wish;
  if (!NAME.test(name))
    throw wrong(`a feed cannot be called ${JSON.stringify(name.slice(0, 40))}`, 'Use up to 32 of a-z, 0-9, - and _.');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(source) && !isUrl(source))
    throw wrong(
      `${source.slice(0, 80)} is not fetched`,
      'Only https is: what comes over http, anybody on the way can change.',
    );
  if (isUrl(source) && !URL.canParse(source))
    throw wrong(`${source.slice(0, 80)} is no address`, 'Write an https address.');
  if (isUrl(source) && /^https:\/\/[^/]*@/.test(source))
    throw wrong('the address has a password in it', 'Others could read it; leave it out.');
  if (pin !== null && !/^[0-9a-f]{64}$/.test(pin))
    throw wrong('--pin is no SHA-256', 'Write 64 hex digits, as sha256sum prints them.');
  return { ...wish, source: isUrl(source) ? source : path.resolve(source) };
}

/** Ms of an interval; null for `none`. */
export function readRefresh(text: string): number | null {
  if (text === 'none') return null;
  const ms = parseSpan(text);
  if (ms !== undefined && ms >= SHORTEST_MS) return ms;
  throw wrong(
    `--refresh cannot be ${JSON.stringify(text.slice(0, 40))}`,
    'Write a span such as 6h or 7d, of 5m at least, or none.',
  );
}

function wrong(problem: string, hint: string): MtpError {
  return new MtpError('USAGE', problem, { exit: EXIT.usage, hint });
}

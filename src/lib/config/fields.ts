import { z } from '../system/zod.ts';
import { ipFamily } from '../protocol/ip-address.ts';
import {
  asciiHostName,
  type Endpoint,
  isHostName,
  parseCidr,
  parseEndpoint,
  parseSocks5,
  type Socks5,
} from './address.ts';
import { formatDuration, parseDuration, parseSpan } from './duration.ts';
import { parseRate } from './rate.ts';

/** Text that a parser turns into a value, or into undefined when it is not allowed. */
function parsed<T>(parse: (text: string) => T | undefined) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'invalid_format', format: 'text', input: text });
    return z.NEVER;
  });
}

const DAY_MS = 24 * 3_600_000;

/** A duration in milliseconds. The longest is a day, which a timer can still count. */
export const duration = (atLeastMs: number) =>
  parsed((text) => {
    const ms = parseDuration(text);
    return ms !== undefined && ms >= atLeastMs && ms <= DAY_MS ? ms : undefined;
  });
export const durationText = (atLeastMs: number): string =>
  `a duration such as "500ms", "30s", "5m" or "2h", from ${formatDuration(atLeastMs)} to 24h`;

/** A span of days in milliseconds. */
export const span = (atLeastMs: number) =>
  parsed((text) => {
    const ms = parseSpan(text);
    return ms !== undefined && ms >= atLeastMs ? ms : undefined;
  });

export const port = z.int().min(1).max(65_535);
/** A list of a variable or an argument has its numbers as text. */
export const portInList = z.union([
  port,
  z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number)
    .pipe(port),
]);
export const rate = parsed(parseRate);
export const positive = z.int().min(1);
export const ipAddress = parsed((text) => (ipFamily(text) !== 0 ? text : undefined));
export const cidr = parsed(parseCidr);
export const socks5 = parsed<Socks5>(parseSocks5);
export const serverName = parsed((text) => (ipFamily(text) !== 0 || isHostName(text) ? text : undefined));

/** What a client names in its hello: it travels inside the secret of the link, so its length has a limit. */
export const coverDomain = z.string().superRefine((text, context) => {
  if (isHostName(text) && text.length >= 4 && text.length <= 182) return;
  const ascii = asciiHostName(text);
  if (ascii !== undefined && ascii !== text && /[^ -~]/.test(text)) {
    context.addIssue({ code: 'custom', message: `"${text}" is not ASCII, write "${ascii}"` });
  } else {
    context.addIssue({ code: 'invalid_format', format: 'text', input: text });
  }
});

export const coverTarget = parsed<Endpoint | { path: string }>((text) => {
  if (!text.startsWith('unix:')) return parseEndpoint(text);
  const path = text.slice('unix:'.length);
  // sun_path holds 108 bytes with the closing zero (unix(7)).
  return path.startsWith('/') && Buffer.byteLength(path) <= 107 ? { path } : undefined;
});

/** Where a DC is: an address, because the names of Telegram's own servers are not to be resolved. */
export const dcEndpoint = parsed((text) => {
  const endpoint = parseEndpoint(text);
  return endpoint !== undefined && ipFamily(endpoint.host) !== 0 ? endpoint : undefined;
});

/** A list with no entry twice. */
export const distinct = <T extends z.ZodType>(item: T) =>
  z.array(item).refine((list) => new Set(list).size === list.length, 'the same entry is there twice');

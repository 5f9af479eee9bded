import { EXIT, MtpError } from '../errors.ts';
import { parseTime } from '../users/wishes.ts';
import { type Span, spanStart } from './period.ts';

/** Times of whole spans, Unix ms; null is no bound. */
export interface Range {
  since: number | null;
  /** The first moment that is not in it any more. */
  until: number | null;
}

const DAY_MS = 86_400_000;
const SPANS = { d: DAY_MS, w: 7 * DAY_MS } as const;

/** What `--since` and `--until` say, in whole days or months: both are within. */
export function parseRange(
  { since, until }: { since?: string | undefined; until?: string | undefined },
  span: Exclude<Span, 'hour'>,
  now: number,
): Range {
  const first = since === undefined ? null : spanStart(span, parseMoment('since', since, now));
  const last = until === undefined ? null : spanStart(span, parseMoment('until', until, now));
  const range = { since: first, until: last === null ? null : endOf(span, last) };
  if (range.since !== null && range.until !== null && range.since >= range.until) {
    throw new MtpError('USAGE', 'until is before since', {
      exit: EXIT.usage,
      hint: 'Name the earlier day with --since.',
    });
  }
  return range;
}

function endOf(span: 'day' | 'month', start: number): number {
  // 32 days lead from the first of a month into the next.
  return span === 'day' ? start + DAY_MS : spanStart('month', start + 32 * DAY_MS);
}

/** A day, or how many days or weeks ago. */
function parseMoment(what: string, text: string, now: number): number {
  const [, count, unit] = /^(\d{1,4})([dw])$/.exec(text) ?? [];
  const at = count === undefined ? parseTime(text) : now - Number(count) * SPANS[unit as keyof typeof SPANS];
  if (at !== undefined) return at;
  throw new MtpError('USAGE', `${what} cannot be ${JSON.stringify(text.slice(0, 40))}`, {
    exit: EXIT.usage,
    hint: 'Write a day such as 2027-01-31, or how long ago, such as 7d or 2w.',
  });
}

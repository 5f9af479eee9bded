import type { Quota } from '../users/user.ts';

/** The periods of quotas and the spans of the ledger, all in UTC and Unix ms. */

const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;
const LENGTHS = { day: DAY_MS, week: 7 * DAY_MS } as const;

export const SPANS = ['hour', 'day', 'month'] as const;
export type Span = (typeof SPANS)[number];

/** When the hour, day or month began that `at` is in. */
export function spanStart(span: Span, at: number): number {
  if (span === 'month') {
    const date = new Date(at);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
  }
  return Math.floor(at / (span === 'hour' ? HOUR_MS : DAY_MS)) * (span === 'hour' ? HOUR_MS : DAY_MS);
}

/** When the first hour, day or month begins that is not before `at`. */
export function nextSpan(span: Span, at: number): number {
  const start = spanStart(span, at);
  if (start === at) return at;
  if (span !== 'month') return start + (span === 'hour' ? HOUR_MS : DAY_MS);
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}

/** When the period began that `now` is in. Before the start of a quota in all, that is for ever ago. */
export function periodStart(quota: Pick<Quota, 'period' | 'start'>, now: number): number {
  const { period, start } = quota;
  if (period === 'total') return now < start ? Number.NEGATIVE_INFINITY : start;
  if (period === 'month') return addMonths(start, monthsUntil(start, now));
  return start + Math.floor((now - start) / LENGTHS[period]) * LENGTHS[period];
}

/** When the next period begins; null where there is none. */
export function nextPeriodStart(quota: Pick<Quota, 'period' | 'start'>, now: number): number | null {
  const { period, start } = quota;
  if (period === 'total') return now < start ? start : null;
  if (period === 'month') return addMonths(start, monthsUntil(start, now) + 1);
  return periodStart(quota, now) + LENGTHS[period];
}

/** Whole months from `start` to `now`; fewer than none where `now` is before it. */
function monthsUntil(start: number, now: number): number {
  const [from, to] = [new Date(start), new Date(now)];
  const months = (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth();
  return addMonths(start, months) > now ? months - 1 : months;
}

/** The same day and time so many months later; in a month without that day its last one. */
function addMonths(start: number, months: number): number {
  const from = new Date(start);
  const [year, month] = [from.getUTCFullYear(), from.getUTCMonth() + months];
  const days = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return Date.UTC(year, month, Math.min(from.getUTCDate(), days)) + (start - spanStart('day', start));
}

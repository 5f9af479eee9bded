import { formatBytes, formatDay, formatSpan } from '../ui/format.ts';
import { writeQuota } from '../users/describe.ts';
import type { Quota } from '../users/user.ts';
import { nextPeriodStart } from './period.ts';
import type { Period } from './quota.ts';
import { type Bytes, NOTHING, type SpanUsage, type UserUsage } from './read.ts';

/** Usage as commands show it: times in ISO 8601, bytes as numbers. */
export interface UsageView extends Bytes {
  id: string;
  name: string;
  removed: boolean;
  total: number;
  lastSeenAt: string | null;
  /** Null for a removed user. */
  period: PeriodView | null;
}

export interface PeriodView extends Bytes {
  /** Null where it began before anything was counted. */
  startedAt: string | null;
  used: number;
  /** Null without a quota. */
  quota: number | null;
  left: number | null;
  /** Null where none comes. */
  nextAt: string | null;
}

/** What one user used, for commands that show users. */
export interface UsedView extends Bytes {
  period: PeriodView | null;
}

export function viewUsed({ user, used, period }: UserUsage, now: number): UsedView {
  return { ...used, period: period && viewPeriod(period, user?.limits.quota ?? null, now) };
}

export interface SpanView extends Bytes {
  /** The first day of it. */
  start: string;
  id: string;
  name: string;
  removed: boolean;
  total: number;
}

export function viewPeriod(period: Period, quota: Quota | null, now: number): PeriodView {
  const { startedAt, up, down } = period;
  const next = quota && nextPeriodStart(quota, now);
  return {
    startedAt: isoOrNull(startedAt),
    up,
    down,
    used: up + down,
    quota: quota?.bytes ?? null,
    left: quota && Math.max(0, quota.bytes - up - down),
    nextAt: isoOrNull(next),
  };
}

export function viewUsage({ id, name, removed, user, used, period }: UserUsage, now: number): UsageView {
  return {
    id,
    name,
    removed,
    ...used,
    total: used.up + used.down,
    lastSeenAt: isoOrNull(user?.lastSeenAt ?? null),
    period: period && viewPeriod(period, user?.limits.quota ?? null, now),
  };
}

export function viewSpan({ id, name, removed, start, used }: SpanUsage): SpanView {
  return { start: formatDay(start), id, name, removed, ...used, total: used.up + used.down };
}

/** All of them together. */
export function sumBytes(items: readonly { used: Bytes }[]): Bytes & { total: number } {
  const { up, down } = items.reduce((sum, { used }) => ({ up: sum.up + used.up, down: sum.down + used.down }), NOTHING);
  return { up, down, total: up + down };
}

/** Label and text of the lines about what one user used. */
export function describeUsage({ user, used, period }: UserUsage, now: number): [string, string][] {
  const quota = user?.limits.quota ?? null;
  const nextAt = quota && nextPeriodStart(quota, now);
  const since = (period?.startedAt ?? null) === null ? '' : ` since ${formatDay(period?.startedAt ?? 0)}`;
  const next = nextAt === null ? '' : `; the next from ${formatDay(nextAt)}`;
  return [
    ['Used', `${formatBytes(used.up)} up, ${formatBytes(used.down)} down`],
    ['Period', `${usedOf(period ?? NOTHING, quota)}${since}${next}`],
  ];
}

export const USAGE_HEADERS = ['USER', 'UP', 'DOWN', 'TOTAL', 'PERIOD', 'SEEN'];

export function usageRow({ name, removed, user, used, period }: UserUsage, now: number): string[] {
  const seen = user?.lastSeenAt ?? null;
  return [
    nameOf(name, removed),
    ...bytesRow(used),
    period === null ? '-' : usedOf(period, user?.limits.quota),
    ago(seen, now),
  ];
}

export const SPAN_HEADERS = ['FROM', 'USER', 'UP', 'DOWN', 'TOTAL'];

export function spanRow({ start, name, removed, used }: SpanUsage): string[] {
  return [formatDay(start), nameOf(name, removed), ...bytesRow(used)];
}

export function bytesRow({ up, down }: Bytes): [string, string, string] {
  return [formatBytes(up), formatBytes(down), formatBytes(up + down)];
}

/** What of a quota is used: `1.2 GB of 50GB/month`. */
export function usedOf({ up, down }: Bytes, quota: Quota | null | undefined): string {
  const used = formatBytes(up + down);
  return quota === null || quota === undefined ? used : `${used} of ${writeQuota(quota)}`;
}

/** Who that is or was. */
export function nameOf(name: string, removed: boolean): string {
  return removed ? `(removed) ${name}` : name;
}

/** Up to when figures are, in one sentence. */
export function asOfSentence(asOf: number | null, running: boolean, failure: string | null, now: number): string {
  if (failure !== null) return `The running proxy cannot write what is used: ${failure}.`;
  if (asOf === null)
    return running ? 'Nothing has been counted yet.' : 'Nothing has been counted yet; no proxy is running here.';
  const time = new Date(asOf).toISOString().slice(0, 19).replace('T', ' ');
  return running
    ? `Up to ${time} UTC; the proxy is running.`
    : `Up to ${time} UTC (${ago(asOf, now)}); no proxy is running here.`;
}

function ago(at: number | null, now: number): string {
  return at === null ? '-' : `${formatSpan(now - at)} ago`;
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

import { getStatus } from '../control/client.ts';
import { writeCsv } from '../csv/write.ts';
import type { Paths } from '../system/paths.ts';
import type { UserFiles } from '../users/files.ts';
import { readUsers } from '../users/with-users.ts';
import { formatTable } from '../ui/table.ts';
import {
  asOfSentence,
  bytesRow,
  SPAN_HEADERS,
  type SpanView,
  spanRow,
  sumBytes,
  USAGE_HEADERS,
  type UsageView,
  usageRow,
  viewSpan,
  viewUsage,
} from './describe.ts';
import { DAYS_MS } from './forget.ts';
import { readSpans, readUsage, readUsageTime, type SpanUsage, type UserUsage } from './read.ts';
import { parseRange } from './range.ts';

export interface UsageWish {
  /** Null is one figure for the whole range. */
  by: 'day' | 'month' | null;
  user?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
}

/** What was used, and up to when it is known. */
export interface UsageReport {
  /** Unix ms; null where nothing has been counted. */
  asOf: number | null;
  running: boolean;
  /** Why the running proxy cannot write figures; null where it can. */
  failure: string | null;
  by: UsageWish['by'];
  /** With `by` null. */
  users: UserUsage[];
  /** With `by` given. */
  spans: SpanUsage[];
  /** What the figures leave out; one sentence each. */
  warnings: string[];
}

const DAY_MS = 86_400_000;
/** Days that are shown where no range is given. */
const DAYS_SHOWN = '29d';

/** Read what was used, as the wish says; a proxy that runs tells how fresh that is. */
export async function reportUsage(paths: Paths & UserFiles, wish: UsageWish, now: number): Promise<UsageReport> {
  const { by, user, until } = wish;
  const since = wish.since ?? (by === 'day' && until === undefined ? DAYS_SHOWN : undefined);
  const range = parseRange({ since, until }, by ?? 'day', now);
  const status = await getStatus(paths);
  const none = { users: [], spans: [], time: null };
  const found = await readUsers(paths, none, async (ledger) => ({
    users: by === null ? await readUsage(ledger, range, now, user) : [],
    spans: by === null ? [] : await readSpans(ledger, by, range, user),
    time: await readUsageTime(ledger),
  }));
  const tooOld = by !== 'month' && range.since !== null && range.since < now - DAYS_MS;
  return {
    asOf: status?.usage.flushedAt ?? found.time,
    running: status !== undefined,
    failure: status?.usage.failure ?? null,
    by,
    users: found.users,
    spans: found.spans,
    warnings: tooOld ? [`Days are kept for ${DAYS_MS / DAY_MS} days; what is older is known with --by month.`] : [],
  };
}

/** The report as a table, its totals last. */
export function usageLines({ by, users, spans }: UsageReport, now: number): string[] {
  const items = by === null ? users : spans;
  const total = bytesRow(sumBytes(items));
  const [headers, rows, last] =
    by === null
      ? [USAGE_HEADERS, users.map((one) => usageRow(one, now)), ['TOTAL', ...total]]
      : [SPAN_HEADERS, spans.map(spanRow), ['TOTAL', '', ...total]];
  return formatTable(headers, [...rows, last]);
}

/** Up to when the report is. */
export function freshness({ asOf, running, failure }: UsageReport, now: number): string {
  return asOfSentence(asOf, running, failure, now);
}

const USER_COLUMNS = [
  'user',
  'id',
  'removed',
  'up',
  'down',
  'total',
  'period_from',
  'period_used',
  'quota',
  'last_seen',
];
const SPAN_COLUMNS = ['from', 'user', 'id', 'removed', 'up', 'down', 'total'];

/** The report as CSV, without totals. Bytes are plain numbers, times in ISO 8601. */
export function usageCsv({ by, users, spans }: UsageReport, now: number): string {
  return by === null
    ? writeCsv([USER_COLUMNS, ...users.map((one) => userCells(viewUsage(one, now)))])
    : writeCsv([SPAN_COLUMNS, ...spans.map((one) => spanCells(viewSpan(one)))]);
}

function userCells({ name, id, removed, up, down, total, period, lastSeenAt }: UsageView): string[] {
  const cells = [period?.startedAt, period?.used, period?.quota, lastSeenAt].map((cell) => String(cell ?? ''));
  return [name, id, yesNo(removed), ...[up, down, total].map(String), ...cells];
}

function spanCells({ start, name, id, removed, up, down, total }: SpanView): string[] {
  return [start, name, id, yesNo(removed), ...[up, down, total].map(String)];
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

/** The report as `--json` has it. */
export interface UsageJson {
  asOf: string | null;
  running: boolean;
  by: UsageWish['by'];
  users: UsageView[];
  spans: SpanView[];
  total: { up: number; down: number; total: number };
  warnings: string[];
}

export function usageJson({ asOf, running, failure, by, users, spans, warnings }: UsageReport, now: number): UsageJson {
  return {
    asOf: asOf === null ? null : new Date(asOf).toISOString(),
    running,
    by,
    users: users.map((one) => viewUsage(one, now)),
    spans: spans.map(viewSpan),
    total: sumBytes(by === null ? users : spans),
    warnings: failure === null ? warnings : [...warnings, asOfSentence(asOf, running, failure, now)],
  };
}

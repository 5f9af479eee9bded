import type { Ledger } from '../ledger/open.ts';
import type { Quota } from '../users/user.ts';
import { nextPeriodStart, periodStart } from './period.ts';

/** The period that a user is in. Times are Unix ms. */
export interface Period {
  startedAt: number | null;
  /** Payload bytes. */
  up: number;
  down: number;
}

/** What of a quota is left. */
export interface QuotaState {
  id: string;
  /** Bytes. */
  left: number;
  /** When there is more again; null is never. */
  nextAt: number | null;
}

/** The newest period row of every user. SQLite takes the other columns from the row that has the maximum. */
export async function readPeriods(ledger: Ledger): Promise<Map<string, Period>> {
  const rows = await ledger
    .selectFrom('usage_periods')
    .select(({ fn }) => ['user_id', 'up', 'down', fn.max<number>('started_at').as('started_at')])
    .groupBy('user_id')
    .execute();
  return new Map(rows.map((row) => [row.user_id, { startedAt: row.started_at, up: row.up, down: row.down }]));
}

/** The period of a quota that `now` is in, by the newest row: one from before its begin is none of it. */
export function currentPeriod(quota: Quota | null, newest: Period | undefined, now: number): Period {
  if (quota === null) return newest ?? { startedAt: null, up: 0, down: 0 };
  const start = periodStart(quota, now);
  if (newest !== undefined && newest.startedAt !== null && newest.startedAt >= start) return newest;
  return { startedAt: Number.isFinite(start) ? start : null, up: 0, down: 0 };
}

/** What everybody with a quota may still use. */
export async function readQuotas(ledger: Ledger, now: number): Promise<QuotaState[]> {
  const users = await ledger
    .selectFrom('users')
    .select(['id', 'quota_bytes', 'quota_period', 'quota_start'])
    .where('quota_bytes', 'is not', null)
    .execute();
  if (users.length === 0) return [];
  const periods = await readPeriods(ledger);
  return users.map(({ id, quota_bytes, quota_period, quota_start }) => {
    const quota = { bytes: quota_bytes ?? 0, period: quota_period as Quota['period'], start: quota_start ?? 0 };
    const { up, down } = currentPeriod(quota, periods.get(id), now);
    return { id, left: Math.max(0, quota.bytes - up - down), nextAt: nextPeriodStart(quota, now) };
  });
}

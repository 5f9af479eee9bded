import type { Ledger } from '../ledger/open.ts';
import type { Quota } from '../users/user.ts';
import { nextSpan, periodStart, type Span } from './period.ts';

/**
 * Have a quota that was just set count what was moved in its present period before that, within the change that sets it: whole
 * hours, and days or months where hours are not kept any more. A period that began since, by a reset, stays as it is.
 */
export async function beginPeriod(
  change: Ledger,
  userId: string,
  { quota, before }: { quota: Quota; before: Quota | null },
  now: number,
): Promise<void> {
  const start = periodStart(quota, now);
  if (!Number.isFinite(start)) return;
  const [first, ...more] = await change
    .selectFrom('usage_periods')
    .select('started_at')
    .where('user_id', '=', userId)
    .where('started_at', '>=', start)
    .execute();
  if (first !== undefined) {
    // Begun by the quota before and not by a reset, it is only a part of the new period.
    const isPart = more.length === 0 && before !== null && first.started_at === periodStart(before, now);
    if (!isPart || first.started_at === start) return;
    await change
      .deleteFrom('usage_periods')
      .where('user_id', '=', userId)
      .where('started_at', '=', first.started_at)
      .execute();
  }
  const [hours, days, months] = [nextSpan('hour', start), nextSpan('day', start), nextSpan('month', start)];
  const parts = [
    await moved(change, userId, 'hour', hours, days),
    await moved(change, userId, 'day', days, months),
    await moved(change, userId, 'month', months, Number.MAX_SAFE_INTEGER),
  ];
  const [up, down] = [parts.reduce((sum, part) => sum + part.up, 0), parts.reduce((sum, part) => sum + part.down, 0)];
  if (up + down === 0) return;
  await change.insertInto('usage_periods').values({ user_id: userId, started_at: start, up, down }).execute();
}

/** What was moved in spans that begin within `[from, to)`. */
async function moved(
  change: Ledger,
  userId: string,
  span: Span,
  from: number,
  to: number,
): Promise<{ up: number; down: number }> {
  const row = await change
    .selectFrom('usage')
    .select(({ fn }) => [fn.sum<number | null>('up').as('up'), fn.sum<number | null>('down').as('down')])
    .where('user_id', '=', userId)
    .where('span', '=', span)
    .where('starts_at', '>=', from)
    .where('starts_at', '<', to)
    .executeTakeFirst();
  return { up: row?.up ?? 0, down: row?.down ?? 0 };
}

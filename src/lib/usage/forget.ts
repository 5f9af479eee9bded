import { sql } from 'kysely';
import { countInLedger, type Ledger } from '../ledger/open.ts';

const DAY_MS = 86_400_000;
/** How long usage is kept by the hour and by the day; by the month it is kept for ever. */
const HOURS_MS = 14 * DAY_MS;
export const DAYS_MS = 400 * DAY_MS;

/** Remove what is too old. The period that a user is in stays, however old it is. */
export async function forgetUsage(ledger: Ledger, now: number): Promise<void> {
  await countInLedger(ledger, async (change) => {
    const ages = { hour: now - HOURS_MS, day: now - DAYS_MS };
    for (const [span, before] of Object.entries(ages)) {
      await change.deleteFrom('usage').where('span', '=', span).where('starts_at', '<', before).execute();
    }
    await sql`
      delete from usage_periods where started_at < ${ages.day}
      and exists (select 1 from usage_periods as newer where newer.user_id = usage_periods.user_id
        and newer.started_at > usage_periods.started_at)
    `.execute(change);
  });
}

/** Remove the marks of engines that are gone with nothing of theirs left to count: all but those of `epochs`. */
export async function forgetMarks(ledger: Ledger, epochs: readonly string[]): Promise<void> {
  await countInLedger(ledger, async (change) => {
    await change
      .deleteFrom('usage_marks')
      .$if(epochs.length > 0, (marks) => marks.where('epoch', 'not in', [...epochs]))
      .execute();
  });
}

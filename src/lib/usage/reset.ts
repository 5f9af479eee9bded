import { changeLedger } from '../ledger/open.ts';
import type { UserFiles } from '../users/files.ts';
import { notKept, recordOf } from '../users/store.ts';
import { withUsers } from '../users/with-users.ts';
import { currentPeriod, type Period, readPeriods } from './quota.ts';

/** Begin a new period for somebody now. What was used stays counted; none of it counts against the quota any more. */
export async function resetUsage(
  files: UserFiles,
  name: string,
  now: number,
): Promise<{ name: string; before: Period; after: Period }> {
  return withUsers(files, async (ledger) => {
    const { user, before } = await changeLedger(ledger, async (change) => {
      const user = await recordOf(change, name);
      const newest = (await readPeriods(change)).get(user.id);
      const before = currentPeriod(user.limits.quota, newest, now);
      // A clock that went back must not leave the new period behind the old one.
      const startedAt = Math.max(now, (newest?.startedAt ?? 0) + 1);
      const row = { user_id: user.id, started_at: startedAt, up: 0, down: 0 };
      await change.insertInto('usage_periods').values(row).execute();
      return { user, before };
    });
    const after = (await readPeriods(ledger)).get(user.id);
    if (after === undefined || (before.startedAt !== null && (after.startedAt ?? 0) <= before.startedAt)) {
      throw notKept(files, user.name);
    }
    return { name: user.name, before, after };
  });
}

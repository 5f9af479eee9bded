import { changeLedger, type Ledger } from '../ledger/open.ts';
import type { UserFiles } from '../users/files.ts';
import { fromSecretRow } from '../users/rows.ts';
import { readUsers } from '../users/with-users.ts';
import { age } from './states.ts';
import { writeStates } from './write.ts';

/** Have time pass for all secrets: ends of grace, of draining, of tombstones. Returns how many changed. */
export async function sweepSecrets(files: UserFiles, drainMs: number, now: number): Promise<number> {
  return readUsers(files, 0, async (ledger) =>
    (await due(ledger, drainMs, now)).length === 0
      ? 0
      : changeLedger(ledger, async (change) => writeStates(change, await due(change, drainMs, now))),
  );
}

async function due(ledger: Ledger, drainMs: number, now: number): Promise<Parameters<typeof writeStates>[1]> {
  const rows = await ledger.selectFrom('secrets').selectAll().where('state', '!=', 'active').execute();
  return rows
    .map(fromSecretRow)
    .map((secret) => [secret, age(secret, drainMs, now)] as const)
    .filter(([before, after]) => after !== before)
    .map(([before, after]) => [before, after]);
}

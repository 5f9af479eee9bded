import type { Ledger } from '../ledger/open.ts';
import { toSecretState } from '../users/rows.ts';
import type { SecretRecord } from '../users/user.ts';

/** Write secrets as they are now, within a change: pairs of before and after; null is forgotten. Returns how many changed. */
export async function writeStates(change: Ledger, pairs: [SecretRecord, SecretRecord | null][]): Promise<number> {
  const changed = pairs.filter(([before, after]) => after !== before);
  for (const [{ id }, after] of changed) {
    if (after === null) await change.deleteFrom('secrets').where('id', '=', id).execute();
    else await change.updateTable('secrets').set(toSecretState(after)).where('id', '=', id).execute();
  }
  return changed.length;
}

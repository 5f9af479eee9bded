import { type Ledger, readLedger } from '../ledger/open.ts';
import type { SecretRow, UserRow } from '../ledger/schema.ts';

/** A user with what belongs to them, as the ledger has it. */
export interface Found {
  row: UserRow;
  tags: string[];
  secrets: SecretRow[];
}

/** Which users: everybody, those of some ids, the one of a folded name, or the one who was added first. */
export type Which = 'all' | { ids: string[] } | { fold: string } | 'first';

/** Users with their tags and secrets, in the order in which they were added; all of one moment. */
export async function selectUsers(ledger: Ledger, which: Which): Promise<Found[]> {
  return readLedger(ledger, async (reading) => selectWithin(reading, which));
}

/** As `selectUsers`, inside a transaction that is under way. */
export async function selectWithin(ledger: Ledger, which: Which): Promise<Found[]> {
  const rows = await usersOf(ledger, which);
  // A long list of ids costs more than all rows, which are wanted then anyway.
  const only = rows.length > 100 || which === 'all' ? undefined : rows.map(({ id }) => id);
  const [tags, secrets] = [
    await ledger
      .selectFrom('user_tags')
      .selectAll()
      .$if(only !== undefined, (all) => all.where('user_id', 'in', only ?? []))
      .execute(),
    await ledger
      .selectFrom('secrets')
      .selectAll()
      .$if(only !== undefined, (all) => all.where('user_id', 'in', only ?? []))
      .orderBy('seq')
      .execute(),
  ];
  const tagsOf = Map.groupBy(tags, ({ user_id }) => user_id);
  const secretsOf = Map.groupBy(secrets, ({ user_id }) => user_id);
  return rows.map((row) => ({
    row,
    tags: tagsOf.get(row.id)?.map(({ tag }) => tag) ?? [],
    secrets: secretsOf.get(row.id) ?? [],
  }));
}

async function usersOf(ledger: Ledger, which: Which): Promise<UserRow[]> {
  const all = ledger.selectFrom('users').selectAll().orderBy('seq');
  if (which === 'all') return all.execute();
  if (which === 'first') return all.limit(1).execute();
  if ('fold' in which) return all.where('label_fold', '=', which.fold).execute();
  const ids = new Set(which.ids);
  if (ids.size > 100) return (await all.execute()).filter(({ id }) => ids.has(id));
  return all.where('id', 'in', [...ids]).execute();
}

import { type Ledger, readLedger } from '../ledger/open.ts';
import { toRecord } from '../users/open-users.ts';
import { findUser } from '../users/load.ts';
import { selectWithin } from '../users/select.ts';
import { recordOf } from '../users/store.ts';
import type { UserFiles } from '../users/files.ts';
import { readUsers, withUsers } from '../users/with-users.ts';
import { foldName, type UserRecord } from '../users/user.ts';
import type { Span } from './period.ts';
import { currentPeriod, type Period, readPeriods } from './quota.ts';
import type { Range } from './range.ts';

/** Payload bytes from clients and to them. */
export interface Bytes {
  up: number;
  down: number;
}

export const NOTHING: Bytes = { up: 0, down: 0 };

/** Who used something. A removed user goes by the name they had. */
export interface Person {
  id: string;
  name: string;
  removed: boolean;
}

/** What somebody used, and what of it counts against their quota. */
export interface UserUsage extends Person {
  /** Null for a removed user. */
  user: UserRecord | null;
  used: Bytes;
  /** Null for a removed user. */
  period: Period | null;
}

/** Somebody who may connect, and what they used. */
export type PresentUsage = UserUsage & { user: UserRecord };

/** What somebody used in one day or month. */
export interface SpanUsage extends Person {
  /** Unix ms. */
  start: number;
  used: Bytes;
}

/** Up to when the ledger has counted, Unix ms; null where it has counted nothing yet. */
export async function readUsageTime(ledger: Ledger): Promise<number | null> {
  const row = await ledger.selectFrom('meta').select('value').where('key', '=', 'usage_at').executeTakeFirst();
  return row === undefined ? null : Number(row.value);
}

/** What everybody used within a range, in the order in which they were added; removed users come last. */
export async function readUsage(ledger: Ledger, range: Range, now: number, name?: string): Promise<UserUsage[]> {
  return readLedger(ledger, async (reading) => {
    const { users, removed } = await readPeople(reading, name);
    // Months are kept for ever, and have all there is.
    const span = range.since === null && range.until === null ? 'month' : 'day';
    const sums = await sumUsage(reading, span, range);
    const periods = await readPeriods(reading);
    const present = users.map((user) => ({
      id: user.id,
      name: user.name,
      removed: false,
      user,
      used: sums.get(user.id) ?? NOTHING,
      period: currentPeriod(user.limits.quota, periods.get(user.id), now),
    }));
    const gone = removed.flatMap(({ id, label }) => {
      const used = sums.get(id);
      return used === undefined ? [] : [{ id, name: label, removed: true, user: null, used, period: null }];
    });
    return [...present, ...gone];
  });
}

const EVER: Range = { since: null, until: null };

/** Everybody who may connect, and what they ever used. */
export async function listUsage(files: UserFiles, now: number): Promise<PresentUsage[]> {
  const all = await readUsers(files, [], async (ledger) => readUsage(ledger, EVER, now));
  return all.flatMap((one) => (one.user === null ? [] : [{ ...one, user: one.user }]));
}

/** One user and what they ever used; nobody of that name is an error that tells who there is. */
export async function findUsage(files: UserFiles, name: string, now: number): Promise<PresentUsage> {
  const user = await findUser(files, name);
  const [found] = await withUsers(files, async (ledger) => readUsage(ledger, EVER, now, user.name));
  return { id: user.id, name: user.name, removed: false, used: NOTHING, period: null, ...found, user };
}

/** What everybody used by the day or the month, oldest first; who used nothing is not in it. */
export async function readSpans(ledger: Ledger, span: Span, range: Range, name?: string): Promise<SpanUsage[]> {
  return readLedger(ledger, async (reading) => {
    const { users, removed } = await readPeople(reading, name);
    const people = new Map<string, Person>([
      ...removed.map(({ id, label }): [string, Person] => [id, { id, name: label, removed: true }]),
      ...users.map(({ id, name: own }): [string, Person] => [id, { id, name: own, removed: false }]),
    ]);
    const rows = await reading
      .selectFrom('usage')
      .select(['user_id', 'starts_at', 'up', 'down'])
      .where('span', '=', span)
      .where('starts_at', '>=', range.since ?? 0)
      .where('starts_at', '<', range.until ?? Number.MAX_SAFE_INTEGER)
      .orderBy('starts_at')
      .execute();
    return rows.flatMap(({ user_id, starts_at, up, down }) => {
      const person = people.get(user_id);
      return person === undefined ? [] : [{ ...person, start: starts_at, used: { up, down } }];
    });
  });
}

async function readPeople(reading: Ledger, name: string | undefined) {
  const removed = await reading.selectFrom('removed_users').selectAll().orderBy('removed_at').execute();
  if (name === undefined) return { users: (await selectWithin(reading, 'all')).map(toRecord), removed };
  const fold = foldName(name);
  const namesakes = removed.filter(({ label }) => foldName(label) === fold);
  const found = (await selectWithin(reading, { fold })).map(toRecord);
  // Nobody of that name, ever: an error that tells who there is.
  return { users: found.length + namesakes.length === 0 ? [await recordOf(reading, name)] : found, removed: namesakes };
}

async function sumUsage(reading: Ledger, span: Span, range: Range): Promise<Map<string, Bytes>> {
  const rows = await reading
    .selectFrom('usage')
    .select(({ fn }) => ['user_id', fn.sum<number>('up').as('up'), fn.sum<number>('down').as('down')])
    .where('span', '=', span)
    .where('starts_at', '>=', range.since ?? 0)
    .where('starts_at', '<', range.until ?? Number.MAX_SAFE_INTEGER)
    .groupBy('user_id')
    .execute();
  return new Map(rows.map(({ user_id, up, down }) => [user_id, { up, down }]));
}

import { sql } from 'kysely';
import { countInLedger, type Ledger } from '../ledger/open.ts';
import type { Quota } from '../users/user.ts';
import { periodStart, SPANS, spanStart } from './period.ts';

/** What a user or a secret moved since the start of an engine. */
export interface Counter {
  id: string;
  /** Payload bytes. */
  up: number;
  down: number;
  /** Unix time in seconds of the newest connection; 0 for none. */
  lastSeen: number;
}

/** Counters of one engine at one moment; within an epoch they only grow. */
export interface UsageSample {
  epoch: string;
  /** Unix ms. */
  at: number;
  counters: readonly Counter[];
}

/** A counter that is smaller than it was: nothing was written for it. */
export interface Regression {
  epoch: string;
  id: string;
}

interface Moved {
  id: string;
  at: number;
  up: number;
  down: number;
}

/**
 * Add to the ledger what the counters grew by since it saw them last, in one transaction that also keeps how far they are: the
 * same sample again adds nothing, and what is not committed is added with the next one.
 */
export async function recordUsage(ledger: Ledger, samples: readonly UsageSample[]): Promise<Regression[]> {
  return countInLedger(ledger, async (change) => {
    const regressions: Regression[] = [];
    const moved: Moved[] = [];
    const seen = new Map<string, number>();
    for (const sample of samples) {
      const { epoch, at, counters } = sample;
      const marks = await readMarks(change, sample);
      const grown = counters.filter(({ id, up, down }) => {
        const mark = marks.get(id);
        const shrunk = mark !== undefined && (up < mark.up || down < mark.down);
        if (shrunk) regressions.push({ epoch, id });
        return !shrunk;
      });
      for (const { id, up, down, lastSeen } of grown) {
        const mark = marks.get(id) ?? { up: 0, down: 0 };
        const delta = { id, at, up: up - mark.up, down: down - mark.down };
        const active = delta.up + delta.down > 0;
        if (active) moved.push(delta);
        seen.set(id, Math.max(seen.get(id) ?? 0, active ? at : lastSeen * 1000));
      }
      await writeMarks(change, epoch, grown);
    }
    await addUsage(change, moved);
    await writeSeen(change, seen);
    await writeTime(change, Math.max(...samples.map(({ at }) => at)));
    return regressions;
  });
}

/** A cross join keeps to its order in SQLite: the other one would go through the ids for every mark. */
async function readMarks(change: Ledger, { epoch, counters }: UsageSample) {
  const ids = JSON.stringify(counters.map(({ id }) => id));
  const { rows } = await sql<{ id: string; up: number; down: number }>`
    select m.id, m.up, m.down
    from json_each(${ids}) as j cross join usage_marks as m on m.epoch = ${epoch} and m.id = j.value
  `.execute(change);
  return new Map(rows.map((row) => [row.id, row]));
}

async function writeMarks(change: Ledger, epoch: string, counters: readonly Counter[]): Promise<void> {
  const rows = JSON.stringify(counters.map(({ id, up, down }) => [id, up, down]));
  await sql`
    insert into usage_marks (epoch, id, up, down)
    select ${epoch}, value ->> 0, value ->> 1, value ->> 2 from json_each(${rows}) where true
    on conflict do update set up = excluded.up, down = excluded.down
  `.execute(change);
}

/** Secrets are not counted by themselves: what has no user, not even a removed one, is theirs. */
async function addUsage(change: Ledger, moved: readonly Moved[]): Promise<void> {
  if (moved.length === 0) return;
  const people = await readPeople(change, moved);
  const usage = [];
  const periods = [];
  for (const { id, at, up, down } of moved) {
    const person = people.get(id);
    if (person === undefined) continue;
    for (const span of SPANS) usage.push([span, spanStart(span, at), id, up, down]);
    const started = startedAt(person, at);
    if (started !== null) periods.push([id, started, up, down]);
  }
  await sql`
    insert into usage (span, starts_at, user_id, up, down)
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 from json_each(${JSON.stringify(usage)}) where true
    on conflict do update set up = up + excluded.up, down = down + excluded.down
  `.execute(change);
  await sql`
    insert into usage_periods (user_id, started_at, up, down)
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(${JSON.stringify(periods)}) where true
    on conflict do update set up = up + excluded.up, down = down + excluded.down
  `.execute(change);
}

interface Person {
  id: string;
  /** Null for a removed user. */
  created_at: number | null;
  quota_period: string | null;
  quota_start: number | null;
  /** Start of the newest period row. */
  newest: number | null;
}

async function readPeople(change: Ledger, moved: readonly Moved[]): Promise<Map<string, Person>> {
  const ids = JSON.stringify([...new Set(moved.map(({ id }) => id))]);
  const { rows } = await sql<Person>`
    select j.value as id, u.created_at, u.quota_period, u.quota_start,
      (select max(p.started_at) from usage_periods as p where p.user_id = j.value) as newest
    from json_each(${ids}) as j left join users as u on u.id = j.value left join removed_users as r on r.id = j.value
    where u.id is not null or r.id is not null
  `.execute(change);
  return new Map(rows.map((row) => [row.id, row]));
}

/** Start of the period row that traffic of this time belongs to; a removed user has none. */
function startedAt({ created_at, quota_period, quota_start, newest }: Person, at: number): number | null {
  if (created_at === null) return null;
  if (quota_period === null || quota_start === null) return newest ?? created_at;
  const boundary = periodStart({ period: quota_period as Quota['period'], start: quota_start }, at);
  return newest !== null && newest >= boundary ? newest : Math.max(boundary, 0);
}

async function writeSeen(change: Ledger, seen: ReadonlyMap<string, number>): Promise<void> {
  const rows = JSON.stringify([...seen].filter(([, at]) => at > 0));
  const from = sql`from (select value ->> 0 as id, value ->> 1 as at from json_each(${rows})) as j`;
  for (const table of ['users', 'secrets']) {
    const { id, last_seen_at } = { id: sql.ref(`${table}.id`), last_seen_at: sql.ref(`${table}.last_seen_at`) };
    await sql`
      update ${sql.table(table)} set last_seen_at = j.at ${from}
      where ${id} = j.id and (${last_seen_at} is null or ${last_seen_at} < j.at)
    `.execute(change);
  }
}

async function writeTime(change: Ledger, at: number): Promise<void> {
  await sql`
    insert into meta (key, value) values ('usage_at', ${String(at)})
    on conflict do update set value = excluded.value where cast(excluded.value as integer) > cast(value as integer)
  `.execute(change);
}

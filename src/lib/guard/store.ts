import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { formatPrefix, parsePrefix, type Prefix } from '../access/prefix.ts';
import type { Verdict } from '../access/ruling.ts';
import { countInLedger, type Ledger } from '../ledger/open.ts';
import type { BanRow } from '../ledger/schema.ts';
import { type Allowed, type Ban, countsAgainst, type Evidence, type Suspicion } from './ban.ts';
import { SIGNALS, type SignalCounts } from './signals.ts';

/** Bans and what they are decided by, in the ledger. What the engine and the kernel have is made from it. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How long suspicion is remembered, and how much of it. */
const SUSPICIONS_MS = 7 * DAY_MS;
const SUSPICIONS_MOST = 20_000;
/** Bans that are over are kept for as long as they can still count, and at most so many. */
const BANS_MS = 180 * DAY_MS;
const BANS_MOST = 50_000;

const GENERATION = 'guard';

/** One change of bans, allowed networks or access rules; a daemon that was not told finds out by the generation. */
export async function changeGuard<Result>(
  ledger: Ledger,
  change: (ledger: Ledger) => Promise<Result>,
): Promise<Result> {
  return countInLedger(ledger, async (inside) => {
    const result = await change(inside);
    const value = randomBytes(8).toString('hex');
    await inside
      .insertInto('meta')
      .values({ key: GENERATION, value })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
      .execute();
    return result;
  });
}

/** A word that is another after every `changeGuard`; null before the first. */
export async function readGuardGeneration(ledger: Ledger): Promise<string | null> {
  const row = await ledger.selectFrom('meta').select('value').where('key', '=', GENERATION).executeTakeFirst();
  return row?.value ?? null;
}

/** Those that hold at `now`, oldest first. */
export async function readBans(ledger: Ledger, now: number): Promise<Ban[]> {
  const rows = await ledger
    .selectFrom('bans')
    .selectAll()
    .where('ended_at', 'is', null)
    .where((where) => where.or([where('until_at', 'is', null), where('until_at', '>', now)]))
    .orderBy('seq')
    .execute();
  return rows.map(toBan);
}

/** All that a network ever had as far as it is remembered, oldest first. */
export async function readHistory(ledger: Ledger, prefix: Prefix): Promise<Ban[]> {
  const network = formatPrefix(prefix);
  const rows = await ledger.selectFrom('bans').selectAll().where('network', '=', network).orderBy('seq').execute();
  return rows.map(toBan);
}

/** The daemon's own that began since a time and were not lifted, whether they still hold or not, oldest first. */
export async function readBansSince(ledger: Ledger, since: number): Promise<Ban[]> {
  const rows = await ledger.selectFrom('bans').selectAll().where('from_at', '>', since).orderBy('seq').execute();
  return rows.map(toBan).filter(countsAgainst);
}

/** Ban a network; a ban that it has ends there. Belongs inside of `changeGuard`. */
export async function insertBan(change: Ledger, ban: Ban): Promise<void> {
  await endBan(change, ban.prefix, ban.from);
  await change
    .insertInto('bans')
    .values({
      network: formatPrefix(ban.prefix),
      verdict: ban.verdict,
      reason: ban.reason,
      rule: ban.rule,
      evidence: ban.evidence && JSON.stringify(ban.evidence),
      actor: ban.actor,
      from_at: ban.from,
      until_at: ban.until,
      ended_at: ban.ended,
    })
    .execute();
}

/** Lift the ban of a network; returns whether it had one. Belongs inside of `changeGuard`. */
export async function endBan(change: Ledger, prefix: Prefix, now: number): Promise<boolean> {
  const { numUpdatedRows } = await change
    .updateTable('bans')
    .set({ ended_at: now })
    .where('network', '=', formatPrefix(prefix))
    .where('ended_at', 'is', null)
    .where((where) => where.or([where('until_at', 'is', null), where('until_at', '>', now)]))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Those that hold at `now`, by their networks. */
export async function readAllowed(ledger: Ledger, now: number): Promise<Allowed[]> {
  const rows = await ledger
    .selectFrom('allowed_networks')
    .selectAll()
    .where((where) => where.or([where('until_at', 'is', null), where('until_at', '>', now)]))
    .orderBy('network')
    .execute();
  return rows.map(({ network, reason, actor, created_at: createdAt, until_at: until }) => ({
    prefix: parsePrefix(network) as Prefix,
    reason,
    actor,
    createdAt,
    until,
  }));
}

/** Allow a network, or say it anew. Belongs inside of `changeGuard`. */
export async function putAllowed(change: Ledger, { prefix, reason, actor, createdAt, until }: Allowed): Promise<void> {
  const row = { reason, actor, created_at: createdAt, until_at: until };
  await change
    .insertInto('allowed_networks')
    .values({ network: formatPrefix(prefix), ...row })
    .onConflict((conflict) => conflict.column('network').doUpdateSet(row))
    .execute();
}

/** Returns whether it was there. Belongs inside of `changeGuard`. */
export async function deleteAllowed(change: Ledger, prefix: Prefix): Promise<boolean> {
  const { numDeletedRows } = await change
    .deleteFrom('allowed_networks')
    .where('network', '=', formatPrefix(prefix))
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Remember suspicion; of one hour the highest score and the newest counts stay. */
export async function putSuspicion(ledger: Ledger, { prefix, at, score, counts, good }: Suspicion): Promise<void> {
  const row = { last_at: at, score, counts: JSON.stringify(counts), good: good ? 1 : 0 };
  await ledger
    .insertInto('offences')
    .values({ network: formatPrefix(prefix), hour_at: at - (at % HOUR_MS), ...row })
    .onConflict((conflict) =>
      conflict.columns(['network', 'hour_at']).doUpdateSet({
        ...row,
        score: sql<number>`max(score, ${score})`,
        good: sql<number>`max(good, ${row.good})`,
      }),
    )
    .execute();
}

/** Newest first. */
export async function readSuspicions(ledger: Ledger, since: number): Promise<Suspicion[]> {
  const rows = await ledger
    .selectFrom('offences')
    .selectAll()
    .where('last_at', '>=', since)
    .orderBy('last_at', 'desc')
    .execute();
  return rows.map(({ network, last_at: at, score, counts, good }) => ({
    prefix: parsePrefix(network) as Prefix,
    at,
    score,
    counts: { ...NO_COUNTS, ...(JSON.parse(counts) as Partial<SignalCounts>) },
    good: good === 1,
  }));
}

const NO_COUNTS = Object.fromEntries(SIGNALS.map((signal) => [signal, 0])) as SignalCounts;

/** Remove what is too old or too much. */
export async function forgetGuard(ledger: Ledger, now: number): Promise<void> {
  await countInLedger(ledger, async (change) => {
    await change
      .deleteFrom('offences')
      .where('last_at', '<', now - SUSPICIONS_MS)
      .execute();
    await sql`
      delete from offences where (network, hour_at) in
      (select network, hour_at from offences order by last_at desc limit -1 offset ${SUSPICIONS_MOST})
    `.execute(change);
    await change.deleteFrom('allowed_networks').where('until_at', '<=', now).execute();
    const over = sql<boolean>`(ended_at is not null or until_at <= ${now})`;
    await change
      .deleteFrom('bans')
      .where(over)
      .where(sql<boolean>`coalesce(ended_at, until_at) < ${now - BANS_MS}`)
      .execute();
    await sql`
      delete from bans where seq in
      (select seq from bans where ${over} order by seq desc limit -1 offset ${BANS_MOST})
    `.execute(change);
  });
}

function toBan(row: BanRow): Ban {
  return {
    prefix: parsePrefix(row.network) as Prefix,
    verdict: row.verdict as Verdict,
    reason: row.reason,
    rule: row.rule,
    evidence: row.evidence === null ? null : (JSON.parse(row.evidence) as Evidence),
    actor: row.actor,
    from: row.from_at,
    until: row.until_at,
    ended: row.ended_at,
  };
}

import type { RotateMessage } from '../hooks/messages.ts';
import { countInLedger, type Ledger } from '../ledger/open.ts';

/**
 * The rotations that the hook has yet to be told of. They are written with the rotation and gone once the hook ended well, so
 * that none is forgotten, whoever is killed in between.
 */

/** Why secrets were replaced. */
export type RotationReason = RotateMessage['reason'];

/** Those of one rotation. Times are Unix ms. */
export interface Due {
  /** Of the rotation. */
  id: string;
  reason: RotationReason;
  rotatedAt: number;
  /** How often the hook has failed. */
  tries: number;
  /** Null where no more is tried. */
  nextAt: number | null;
  failure: string | null;
  secrets: { id: string; userId: string; name: string }[];
}

const FIRST_MS = 10_000;
const LONGEST_MS = 3_600_000;
/** More than eleven hours: a hook that fails so long is looked at by somebody first. */
const MOST_TRIES = 20;
const ROWS_AT_ONCE = 200;

/** Note new secrets, within the change that makes them. */
export async function noteRotation(
  change: Ledger,
  { id, reason, rotatedAt }: Pick<Due, 'id' | 'reason' | 'rotatedAt'>,
  secrets: string[],
): Promise<void> {
  const rows = secrets.map((secret) => ({
    rotation: id,
    secret_id: secret,
    reason,
    rotated_at: rotatedAt,
    tries: 0,
    next_at: rotatedAt,
    failure: null,
  }));
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    await change
      .insertInto('announcements')
      .values(rows.slice(at, at + ROWS_AT_ONCE))
      .execute();
  }
}

/** All that are left, in the order in which they came about. */
export async function readDue(ledger: Ledger): Promise<Due[]> {
  const rows = await ledger
    .selectFrom('announcements')
    .innerJoin('secrets', 'secrets.id', 'announcements.secret_id')
    .innerJoin('users', 'users.id', 'secrets.user_id')
    .select(['rotation', 'reason', 'rotated_at', 'tries', 'next_at', 'failure', 'secret_id', 'user_id', 'label'])
    .orderBy('announcements.seq')
    .execute();
  return [...Map.groupBy(rows, ({ rotation }) => rotation)].map(([id, same]) => {
    const [{ reason, rotated_at, tries, next_at, failure }] = same as [(typeof same)[number]];
    return {
      id,
      reason: reason as RotationReason,
      rotatedAt: rotated_at,
      tries,
      nextAt: next_at,
      failure,
      secrets: same.map(({ secret_id, user_id, label }) => ({ id: secret_id, userId: user_id, name: label })),
    };
  });
}

/** Whether the next try is not due yet; a time that no wait leads to is that of a clock that went back. */
export function isEarly({ nextAt }: Due, now: number): boolean {
  return nextAt !== null && nextAt > now && nextAt <= now + LONGEST_MS;
}

/** Nothing of it has to be told any more. */
export async function settle(ledger: Ledger, { id }: Pick<Due, 'id'>): Promise<void> {
  await countInLedger(ledger, async (change) =>
    change.deleteFrom('announcements').where('rotation', '=', id).execute(),
  );
}

/** The hook failed: try later, ever more rarely, and in the end no more. Returns how it stands then. */
export async function postpone(ledger: Ledger, due: Due, failure: string, now: number): Promise<Due> {
  const tries = due.tries + 1;
  const waitMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** (tries - 1));
  const nextAt = tries >= MOST_TRIES ? null : now + waitMs;
  await countInLedger(ledger, async (change) =>
    change
      .updateTable('announcements')
      .set({ tries, next_at: nextAt, failure })
      .where('rotation', '=', due.id)
      .execute(),
  );
  return { ...due, tries, nextAt, failure };
}

/** Begin anew with all that are left, those that were given up among them. */
export async function tryAnew(ledger: Ledger, now: number): Promise<void> {
  await countInLedger(ledger, async (change) =>
    change.updateTable('announcements').set({ tries: 0, next_at: now }).execute(),
  );
}

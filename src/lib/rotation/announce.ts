import { type HookOutcome, runHook } from '../hooks/hooks.ts';
import type { HookMessages, RotateMessage } from '../hooks/messages.ts';
import { type Access, userLinks } from '../link/access.ts';
import type { Ledger } from '../ledger/open.ts';
import { withLock } from '../system/lock.ts';
import type { Paths } from '../system/paths.ts';
import { viewUser } from '../users/describe.ts';
import type { UserFiles } from '../users/files.ts';
import { openUsers } from '../users/open-users.ts';
import { isAccepted, type User } from '../users/user.ts';
import { readUsers } from '../users/with-users.ts';
import { type Due, isEarly, postpone, readDue, type RotationReason, settle, tryAnew } from './outbox.ts';
import { replacedBy } from './states.ts';

/** Name of the hook that is told of new secrets. */
export const ROTATE_HOOK: keyof HookMessages = 'on-rotate';

/** A new secret and whose it is. */
interface Fresh {
  user: User;
  secret: string;
}

/** What the hook reads: everything that it takes to tell users. Times in ISO 8601. */
export function rotationMessage(
  fresh: Fresh[],
  { reason, rotatedAt }: { reason: RotationReason; rotatedAt: number },
  access: Access,
  now: number,
): RotateMessage {
  return {
    event: 'rotate',
    at: iso(rotatedAt),
    reason,
    rotations: fresh.map(({ user, secret }) => ({
      user: { id: user.id, name: user.name, state: viewUser(user, now).state, tags: user.tags, note: user.notes },
      secret,
      links: user.secrets.filter(({ id }) => id === secret).flatMap((one) => userLinks(one, access)),
      before: replacedBy(user, secret, rotatedAt).map(({ id, state, retiringUntil }) => ({
        secret: id,
        state,
        until: state === 'retiring' && retiringUntil !== null ? iso(retiringUntil) : null,
      })),
    })),
  };
}

/** What became of one rotation's announcement. `outdated`: its secrets let nobody in any more, so there is nothing to tell. */
export interface Told {
  due: Due;
  outcome: HookOutcome | { state: 'outdated' };
}

/** Only one process tells the hook at a time, in order. */
export async function whileAnnouncing<Result>(
  { ledgerFile }: UserFiles,
  action: () => Promise<Result>,
  waitMs?: number,
): Promise<Result> {
  return withLock(`${ledgerFile}.announce`, action, waitMs);
}

/**
 * Tell the hook of what is due, in order; for `whileAnnouncing`. What a user has to wait for keeps their later ones back. The
 * first that fails ends the round: the others would fail as well. `anew` is for everything, however often it failed.
 */
export async function announceDue(
  paths: Pick<Paths, 'hooks'> & UserFiles,
  access: Access,
  { now, anew = false }: { now: () => number; anew?: boolean },
): Promise<Told[]> {
  return readUsers<Told[]>(paths, [], async (ledger) => {
    if (anew) await tryAnew(ledger, now());
    const told: Told[] = [];
    const waiting = new Set<string>();
    for (const due of await readDue(ledger)) {
      if (due.nextAt === null) continue;
      const whose = due.secrets.map(({ userId }) => userId);
      if (isEarly(due, now()) || whose.some((id) => waiting.has(id))) {
        for (const id of whose) waiting.add(id);
        continue;
      }
      const one = await announce(ledger, paths, due, access, now);
      told.push(one);
      if (one.outcome.state === 'failed') break;
    }
    return told;
  });
}

async function announce(
  ledger: Ledger,
  paths: Pick<Paths, 'hooks'> & UserFiles,
  due: Due,
  access: Access,
  now: () => number,
): Promise<Told> {
  const users = await openUsers(ledger, paths, { ids: due.secrets.map(({ userId }) => userId) });
  const owners = new Map(users.map((user) => [user.id, user]));
  // One that was closed meanwhile is no link to hand out.
  const fresh = due.secrets.flatMap(({ id, userId }) => {
    const user = owners.get(userId);
    return user?.secrets.some((secret) => secret.id === id && isAccepted(secret)) === true
      ? [{ user, secret: id }]
      : [];
  });
  const outcome: Told['outcome'] =
    fresh.length === 0
      ? { state: 'outdated' }
      : await runHook(paths.hooks, ROTATE_HOOK, rotationMessage(fresh, due, access, now()));
  if (outcome.state === 'failed') return { due: await postpone(ledger, due, outcome.reason, now()), outcome };
  await settle(ledger, due);
  return { due, outcome };
}

/** What became of the announcement of one rotation, for commands. */
export type Announcement =
  | Exclude<Told['outcome'], { state: 'failed' }>
  /** `nextAt` in ISO 8601; null where no more is tried. */
  | { state: 'failed'; reason: string; tries: number; nextAt: string | null }
  /** An earlier one has to be told of first, and failed. */
  | { state: 'waiting'; reason: string };

export function announcementOf(id: string, told: readonly Told[]): Announcement {
  const own = told.find(({ due }) => due.id === id);
  if (own === undefined) return { state: 'waiting', reason: told.at(-1)?.due.failure ?? 'it failed before' };
  const { due, outcome } = own;
  if (outcome.state !== 'failed') return outcome;
  const nextAt = due.nextAt === null ? null : iso(due.nextAt);
  return { state: 'failed', reason: outcome.reason, tries: due.tries, nextAt };
}

/** What is left to be told of; nothing where nothing is kept yet. */
export async function listDue(files: UserFiles): Promise<Due[]> {
  return readUsers<Due[]>(files, [], readDue);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

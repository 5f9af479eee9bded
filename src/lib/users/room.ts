import { EXIT, MtpError } from '../errors.ts';
import type { Ledger } from '../ledger/open.ts';

/**
 * Users and their secrets that there may be. An engine has room for 65,536 since its start; what is left is for those that come
 * and go until the next start.
 */
export const MOST_ROWS = 60_000;

/** Refuse more users and secrets than an engine can serve, before any is written; revoked secrets do not count. */
export async function refuseOverflow(ledger: Ledger, more: number): Promise<void> {
  const [users, secrets] = [
    await ledger
      .selectFrom('users')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow(),
    await ledger
      .selectFrom('secrets')
      .where('state', '!=', 'revoked')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow(),
  ];
  refuseMore(users.count + secrets.count, more);
}

/** The same where `there` is how many there are. */
export function refuseMore(there: number, more: number): void {
  if (there + more <= MOST_ROWS) return;
  const words = (count: number): string => count.toLocaleString('en');
  const room = words(Math.max(0, MOST_ROWS - there));
  throw new MtpError(
    'USERS_FULL',
    `one proxy serves ${words(MOST_ROWS)} users and secrets together: there is room for ${room} more, and these are ${words(more)}`,
    {
      exit: EXIT.precondition,
      hint: 'A user with one secret counts twice. Remove users or revoke secrets that are not needed, or run another proxy.',
    },
  );
}

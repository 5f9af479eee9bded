import { EXIT, MtpError } from '../errors.ts';
import type { Ledger } from '../ledger/open.ts';
import { isAccepted, type SecretRecord } from './user.ts';

/**
 * Users and their secrets that there may be at a time. An engine takes 65,536; the rest is for secrets that were revoked of
 * late, which it knows by name.
 */
export const MOST_ROWS = 60_000;

/** Secrets of one user that may be accepted at once: each is one more that can be found and be tried. */
export const MOST_ACCEPTED = 16;

/** Refuse more accepted secrets of one user than that; `secrets` are as they would be. */
export function refuseCrowd(name: string, secrets: readonly SecretRecord[]): void {
  const accepted = secrets.filter(isAccepted);
  const [oldest] = accepted;
  if (accepted.length <= MOST_ACCEPTED || oldest === undefined) return;
  const replaced = accepted.filter(({ state }) => state === 'retiring').length;
  throw new MtpError(
    'SECRETS_FULL',
    `${name} would have ${accepted.length} secrets that let somebody in, and ${MOST_ACCEPTED} are the most`,
    {
      exit: EXIT.precondition,
      hint:
        replaced > 1
          ? `Close those that were replaced first (mtp secret rotations shows who uses them): mtp secret close ${name}`
          : `Close the oldest first: mtp secret close ${name} --id ${oldest.id}`,
    },
  );
}

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

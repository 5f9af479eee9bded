import { EXIT, MtpError } from '../errors.ts';
import { changeLedger } from '../ledger/open.ts';
import type { UserFiles } from '../users/files.ts';
import { findUser, listUsers } from '../users/load.ts';
import { notKept, recordOf } from '../users/store.ts';
import { assertReason, isAccepted, type SecretRecord, type UserRecord } from '../users/user.ts';
import { withUsers } from '../users/with-users.ts';
import { drain, revoke } from './states.ts';
import { writeStates } from './write.ts';

/** Which secrets to close: those that were replaced, or one by its id, which may be the one in use. */
export interface Closing {
  name: string;
  id?: string | undefined;
  /** Cut who is connected with it, too. */
  now: boolean;
  /** Why; it is kept. */
  reason?: string | undefined;
}

export interface Closed {
  user: UserRecord;
  /** As they are now. */
  closed: SecretRecord[];
}

const SECRET_ID = /^[0-9a-f]{16}$/;

/** Whose secrets are meant, and which of them: a name, or in its place the id of a secret, says so. */
export async function findClosing<Wish extends Closing>(
  files: UserFiles,
  wish: Wish,
): Promise<{ user: UserRecord; closing: Wish }> {
  if (wish.reason !== undefined) assertReason(wish.reason);
  const { name: target, id } = wish;
  if (id === undefined && SECRET_ID.test(target)) {
    const users = await listUsers(files);
    const named = users.some(({ name }) => name === target);
    const owner = users.find(({ secrets }) => secrets.some((secret) => secret.id === target));
    if (owner !== undefined && !named) return { user: owner, closing: { ...wish, name: owner.name, id: target } };
  }
  const user = await findUser(files, target);
  return { user, closing: { ...wish, name: user.name } };
}

/** Let nobody in any more with secrets that were replaced. */
export async function closeSecrets(files: UserFiles, closing: Closing, at: number): Promise<Closed> {
  const { reason = null } = closing;
  return withUsers(files, async (ledger) => {
    const { wanted } = await changeLedger(ledger, async (change) => {
      const chosen = toClose(await recordOf(change, closing.name), closing);
      const pairs = chosen.map((secret): [SecretRecord, SecretRecord] => [
        secret,
        closing.now ? revoke(secret, at, reason) : drain(secret, at, reason),
      ]);
      await writeStates(change, pairs);
      return { wanted: new Map(pairs.map(([{ id }, after]) => [id, after])) };
    });
    const user = await findUser(files, closing.name);
    const closed = user.secrets.filter(({ id }) => wanted.has(id));
    const isWanted = ({ id, state, closeReason }: SecretRecord): boolean =>
      wanted.get(id)?.state === state && wanted.get(id)?.closeReason === closeReason;
    if (closed.length !== wanted.size || !closed.every(isWanted)) throw notKept(files, user.name);
    return { user, closed };
  });
}

/** Whether nobody could come in with any secret of the user once these are closed. */
export function wouldShutOut({ secrets }: UserRecord, closing: SecretRecord[]): boolean {
  const ids = new Set(closing.map(({ id }) => id));
  return secrets.some(isAccepted) && !secrets.some((secret) => isAccepted(secret) && !ids.has(secret.id));
}

/** The secrets that would be closed, none where that was done before; where nothing was replaced, that is an error. */
export function toClose({ name, secrets }: UserRecord, { id, now }: Closing): SecretRecord[] {
  const isOpen = ({ state }: SecretRecord): boolean => state !== 'revoked' && (now || state !== 'draining');
  if (id !== undefined) {
    const found = secrets.find((secret) => secret.id === id);
    if (found !== undefined) return [found].filter(isOpen);
    throw new MtpError('SECRET_UNCLEAR', `${name} has no secret ${id.slice(0, 40)}`, {
      exit: EXIT.usage,
      hint: `Name one of: ${secrets.map((secret) => secret.id).join(', ')}`,
    });
  }
  const old = secrets.filter((secret) => secret.state !== 'active' && isOpen(secret));
  if (old.length > 0 || secrets.some((secret) => !isAccepted(secret))) return old;
  throw new MtpError('NOTHING_TO_CLOSE', `${name} has no secret that was replaced`, {
    exit: EXIT.precondition,
    hint:
      secrets.length > 0
        ? `Replace the one in use first with: mtp secret rotate ${name}`
        : `Give ${name} a secret with: mtp secret add ${name}`,
  });
}

import { EXIT, MtpError } from '../errors.ts';
import { changeLedger } from '../ledger/open.ts';
import { openSealing } from '../keyring/sealing.ts';
import type { UserFiles } from './files.ts';
import { insertSecrets, insertUsers } from './insert.ts';
import { makeUser, makeUserSecret, SYSTEM, type UserSources } from './make.ts';
import { openUsers } from './open-users.ts';
import { refuseCrowd, refuseOverflow } from './room.ts';
import { fromSecretRow } from './rows.ts';
import { selectUsers, selectWithin } from './select.ts';
import { notKept, proveKept, recordOf } from './store.ts';
import { assertUserName, foldName, type SecretRecord, type User } from './user.ts';
import { withUsers } from './with-users.ts';

/** Give somebody a secret, a fresh one if no key of 16 bytes is given: a new user where nobody has that name. */
export async function addSecret(
  files: UserFiles,
  { name, key }: { name: string; key?: Buffer | undefined },
  sources: UserSources = SYSTEM,
): Promise<{ user: User; secretId: string; created: boolean }> {
  assertUserName(name);
  const secret = makeUserSecret(key, sources);
  return withUsers(files, async (ledger) => {
    const { id, created } = await changeLedger(ledger, async (change) => {
      const sealing = await openSealing(change, files, sources);
      const [found] = await selectWithin(change, { fold: foldName(name) });
      if (found !== undefined) {
        refuseCrowd(found.row.label, [...found.secrets.map(fromSecretRow), secret]);
        await refuseOverflow(change, 1);
        await insertSecrets(change, { id: found.row.id, secrets: [secret] }, sealing);
        return { id: found.row.id, created: false };
      }
      const user = { ...makeUser({ name }, sources), secrets: [secret] };
      await insertUsers(change, [user], sealing);
      return { id: user.id, created: true };
    });
    const [user] = await openUsers(ledger, files, { ids: [id] });
    const kept = user?.secrets.find((one) => one.id === secret.id);
    if (user === undefined || kept?.key !== secret.key) throw notKept(files, name);
    return { user: await proveKept(ledger, files, user), secretId: secret.id, created };
  });
}

/** Remove a secret of somebody: the one of that id, which may be left out where there is only one. The user stays. */
export async function removeSecret(
  files: UserFiles,
  { name, id }: { name: string; id?: string | undefined },
): Promise<{ name: string; removed: SecretRecord; left: number }> {
  return withUsers(files, async (ledger) => {
    const { user, removed } = await changeLedger(ledger, async (change) => {
      const record = await recordOf(change, name);
      const chosen = chooseSecret(record, id);
      await change.deleteFrom('secrets').where('id', '=', chosen.id).execute();
      return { user: record, removed: chosen };
    });
    const [found] = await selectUsers(ledger, { ids: [user.id] });
    const left = found?.secrets.map(fromSecretRow) ?? [];
    if (found === undefined || left.some((secret) => secret.id === removed.id)) throw notKept(files, user.name);
    return { name: user.name, removed, left: left.length };
  });
}

/** The secret that is meant; where that is unclear an error names those there are. */
export function chooseSecret<Secret extends SecretRecord>(
  { name, secrets }: { name: string; secrets: Secret[] },
  id: string | undefined,
): Secret {
  const [only] = secrets;
  const chosen = id === undefined ? (secrets.length === 1 ? only : undefined) : secrets.find((one) => one.id === id);
  if (chosen !== undefined) return chosen;
  if (only === undefined) {
    throw new MtpError('NO_SECRET', `${name} has no secret`, {
      exit: EXIT.precondition,
      hint: `Add one with: mtp secret add ${name}`,
    });
  }
  const ids = secrets.map((secret) => secret.id).join(', ');
  const message =
    id === undefined ? `${name} has ${secrets.length} secrets` : `${name} has no secret ${id.slice(0, 40)}`;
  throw new MtpError('SECRET_UNCLEAR', message, { exit: EXIT.usage, hint: `Name one with --id: ${ids}` });
}

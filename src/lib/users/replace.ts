import { isDeepStrictEqual } from 'node:util';
import { revoke } from '../rotation/states.ts';
import type { Column } from './columns.ts';
import type { ImportPlan, LineFault, Planned } from './import-plan.ts';
import { isSame } from './store.ts';
import { foldName, type User, type UserSecret } from './user.ts';

/** What an import makes of the users of a ledger. */
export interface UserChanges {
  add: User[];
  change: { before: User; after: User }[];
  remove: User[];
  /** Who is as the file says already. */
  same: number;
  faults: LineFault[];
}

/**
 * How the users who are there become those of a file. What it has no column for stays; a secret that it does not name any more
 * is revoked. With `removeOthers` the file has everybody: who is not in it goes, and who has another name there is renamed.
 */
export function planReplace(
  there: User[],
  { users, columns, faults }: ImportPlan,
  { removeOthers, now }: { removeOthers: boolean; now: number },
): UserChanges {
  const named = new Set(users.map(({ user }) => foldName(user.name)));
  const byName = new Map(there.map((user) => [foldName(user.name), user]));
  const byKey = new Map(there.flatMap((user) => user.secrets.map(({ key }) => [key, user] as const)));
  const changes: UserChanges = { add: [], change: [], remove: [], same: 0, faults: [...faults] };
  const met = new Set<User>();
  for (const planned of users) {
    const { user, line } = planned;
    const holders = new Set(user.secrets.map(({ key }) => byKey.get(key)).filter((one) => one !== undefined));
    const renamed = removeOthers
      ? [...holders].find((one) => !named.has(foldName(one.name)) && !met.has(one))
      : undefined;
    const before = byName.get(foldName(user.name)) ?? renamed;
    const holder = [...holders].find((one) => one !== before);
    if (holder !== undefined) {
      changes.faults.push({ line, fault: `${holder.name} already has this secret` });
    } else if (before === undefined) {
      changes.add.push(user);
    } else {
      met.add(before);
      const after = merge(before, planned, columns, now);
      if (isSame(after, before)) changes.same += 1;
      else changes.change.push({ before, after });
    }
  }
  if (removeOthers) changes.remove.push(...there.filter((user) => !met.has(user)));
  changes.faults.sort((a, b) => a.line - b.line);
  return changes;
}

function merge(before: User, { user, secretsGiven }: Planned, columns: Column[], now: number): User {
  const said = (...names: Column[]): boolean => names.some((name) => columns.includes(name));
  const { limits } = before;
  return {
    ...before,
    name: user.name,
    enabled: said('enabled') ? user.enabled : before.enabled,
    expiresAt: said('expires') ? user.expiresAt : before.expiresAt,
    notes: said('note') ? user.notes : before.notes,
    tags: said('tags') ? user.tags : before.tags,
    limits: {
      connections: said('devices') ? user.limits.connections : limits.connections,
      networks: said('max_networks') ? user.limits.networks : limits.networks,
      quota: said('quota') ? user.limits.quota : limits.quota,
      upBytesPerSecond: said('up') ? user.limits.upBytesPerSecond : limits.upBytesPerSecond,
      downBytesPerSecond: said('down') ? user.limits.downBytesPerSecond : limits.downBytesPerSecond,
    },
    secrets: secretsGiven ? mergeSecrets(before.secrets, user.secrets, now) : before.secrets,
  };
}

/** Secrets are the same by their key, and keep their id: who is connected with one goes on. */
function mergeSecrets(before: UserSecret[], wanted: UserSecret[], now: number): UserSecret[] {
  const wantedByKey = new Map(wanted.map((secret) => [secret.key, secret]));
  const known = new Set(before.map(({ key }) => key));
  return [
    ...before.map((secret) => {
      const wish = wantedByKey.get(secret.key);
      return wish === undefined ? revoke(secret, now) : stateOf(secret, wish);
    }),
    ...wanted.filter(({ key }) => !known.has(key)),
  ];
}

/** A secret in the state that is wished; one that is closed is not made to drain again. */
function stateOf(secret: UserSecret, wish: UserSecret): UserSecret {
  if (secret.state === 'revoked' && (wish.state === 'revoked' || wish.state === 'draining')) return secret;
  const { state, retiringUntil, retireLimitNetworks, revokedAt, tombstoneUntil } = wish;
  const after = { ...secret, state, retiringUntil, retireLimitNetworks, revokedAt, tombstoneUntil };
  return isDeepStrictEqual(after, secret) ? secret : after;
}

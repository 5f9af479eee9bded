import { foldName } from '../users/user.ts';
import type { UserDigest } from '../users/digest.ts';

/** How the users of another host differ from ours, by name. */
export interface Differences {
  missing: string[];
  different: string[];
  /** Who is there and not here. */
  extra: string[];
}

/** Compare users by digests under the same key. */
export function compareUsers(here: UserDigest[], there: UserDigest[]): Differences {
  const byName = new Map(there.map((user) => [foldName(user.name), user]));
  const ours = new Set(here.map(({ name }) => foldName(name)));
  const differences: Differences = { missing: [], different: [], extra: [] };
  for (const user of here) {
    const other = byName.get(foldName(user.name));
    if (other === undefined) differences.missing.push(user.name);
    else if (user.profile !== other.profile || !sameAccess(user, other)) differences.different.push(user.name);
  }
  differences.extra = there.filter(({ name }) => !ours.has(foldName(name))).map(({ name }) => name);
  return differences;
}

export function isSame({ missing, different, extra }: Differences): boolean {
  return missing.length + different.length + extra.length === 0;
}

/**
 * Whether the same secrets are accepted, in the same way. What is closed here may be in any later step there, since each host
 * moves on by its own clock; but it must not be accepted, and what was cut here must not be served.
 */
function sameAccess(here: UserDigest, there: UserDigest): boolean {
  const theirs = new Map(there.secrets.map((secret) => [secret.hash, secret]));
  const ours = new Map(here.secrets.map((secret) => [secret.hash, secret]));
  const accepted = here.secrets.every((secret) => {
    const other = theirs.get(secret.hash);
    if (!isAccepted(secret))
      return other === undefined || !isServed(other) || (secret.state === 'draining' && other.state === 'draining');
    return other?.state === secret.state && other.until === secret.until && other.networks === secret.networks;
  });
  return accepted && there.secrets.every((secret) => ours.has(secret.hash) || !isServed(secret));
}

type Secret = UserDigest['secrets'][number];

function isAccepted({ state }: Secret): boolean {
  return state === 'active' || state === 'retiring';
}

function isServed({ state }: Secret): boolean {
  return state !== 'revoked';
}

import { createHmac, type KeyObject } from 'node:crypto';
import { writeCells } from './columns.ts';
import type { SecretState, User } from './user.ts';

/** A user as it can be compared with that of another machine without showing a secret: hashes under a key that both have. */
export interface UserDigest {
  name: string;
  /** Of all that the operator decides but secrets, 64 hex digits. */
  profile: string;
  secrets: {
    /** Of the key, 64 hex digits. */
    hash: string;
    state: SecretState;
    /** Of a retiring one, Unix ms. */
    until: number | null;
    networks: number | null;
  }[];
}

/** HMAC-SHA256 (RFC 2104) of every user, as they are at a time: a secret whose grace is over drains, seen to or not. */
export function digestUsers(users: User[], key: KeyObject, now: number): UserDigest[] {
  const hash = (purpose: string, text: string): string =>
    createHmac('sha256', key).update(`${purpose}\0${text}`).digest('hex');
  return users.map((user) => ({
    name: user.name,
    profile: hash('profile', JSON.stringify(writeCells(user, { secret: '', old_secrets: '' }))),
    secrets: user.secrets.map((secret) => {
      const retires = secret.state === 'retiring' && (secret.retiringUntil ?? 0) > now;
      return {
        hash: hash('secret', secret.key),
        state: secret.state === 'retiring' && !retires ? 'draining' : secret.state,
        until: retires ? secret.retiringUntil : null,
        networks: retires ? secret.retireLimitNetworks : null,
      };
    }),
  }));
}

/** One hash of all users, in the order of their names. */
export function digestAll(digests: UserDigest[], key: KeyObject): string {
  const inOrder = digests.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  return createHmac('sha256', key).update(JSON.stringify(inOrder)).digest('hex');
}

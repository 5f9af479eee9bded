import { isAccepted, type SecretRecord } from '../users/user.ts';

/**
 * The life of a secret: active -> retiring (its successor is handed out) -> draining (nobody new) -> revoked, and then for a
 * while a tombstone by which a stale link is still known as such (operations.md §3.6). Each step is a pure function.
 */

/** How long a revoked secret is remembered, ms. */
export const TOMBSTONE_MS = 30 * 86_400_000;

export interface Grace {
  /** How long the secret is still accepted, ms. */
  graceMs: number;
  /** Networks that may use it at once meanwhile; null is no limit. */
  limitNetworks: number | null;
}

/** Accepted until the end of the grace; one that had less time left keeps that. */
export function retire<Secret extends SecretRecord>(
  secret: Secret,
  { graceMs, limitNetworks }: Grace,
  now: number,
): Secret {
  if (!isAccepted(secret)) return secret;
  const until = Math.min(secret.retiringUntil ?? Number.MAX_SAFE_INTEGER, now + graceMs);
  const networks = [limitNetworks, secret.retireLimitNetworks].filter((limit) => limit !== null);
  const retireLimitNetworks = networks.length === 0 ? null : Math.min(...networks);
  return { ...secret, state: 'retiring', retiringUntil: until, retireLimitNetworks };
}

/** Nobody new comes in with it, and who is connected goes on; `reason` is why the operator wants it so. */
export function drain<Secret extends SecretRecord>(secret: Secret, now: number, reason: string | null = null): Secret {
  if (!isAccepted(secret)) return secret;
  return { ...secret, state: 'draining', retiringUntil: now, closeReason: reason };
}

/** Nobody goes on with it; without a `reason` the one that it had stays. */
export function revoke<Secret extends SecretRecord>(secret: Secret, now: number, reason: string | null = null): Secret {
  if (secret.state === 'revoked') return secret;
  const closeReason = reason ?? secret.closeReason;
  return { ...secret, state: 'revoked', revokedAt: now, tombstoneUntil: now + TOMBSTONE_MS, closeReason };
}

/** What time makes of a secret: the same object where that is nothing, null where even its memory is over. */
export function age<Secret extends SecretRecord>(secret: Secret, drainMs: number, now: number): Secret | null {
  const { state, retiringUntil, tombstoneUntil } = secret;
  const until = retiringUntil ?? Number.MAX_SAFE_INTEGER;
  if (state === 'retiring' && now >= until) {
    // After a pause of the daemon, the time to drain may be over as well.
    const drained = { ...drain(secret, now), retiringUntil: until };
    return age(drained, drainMs, now);
  }
  if (state === 'draining' && now >= until + drainMs) return revoke(secret, now);
  if (state === 'revoked' && now >= (tombstoneUntil ?? Number.MAX_SAFE_INTEGER)) return null;
  return secret;
}

/** What a rotation replaced: secrets from before the new one, but for those that were over by then. */
export function replacedBy<Secret extends SecretRecord>(
  { secrets }: { secrets: Secret[] },
  fresh: string,
  rotatedAt: number,
): Secret[] {
  const at = secrets.findIndex(({ id }) => id === fresh);
  return secrets.slice(0, at).filter(({ revokedAt }) => revokedAt === null || revokedAt >= rotatedAt);
}

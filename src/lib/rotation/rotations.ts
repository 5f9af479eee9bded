import type { UsageReply } from '../control/schema.ts';
import type { SecretRecord, SecretState, UserRecord } from '../users/user.ts';

/** A secret that was replaced, and who still uses it. Times in ISO 8601. */
export interface Rotation {
  name: string;
  userId: string;
  secret: string;
  state: Exclude<SecretState, 'active'>;
  /** End of the grace of a retiring secret, of the memory of a revoked one. */
  until: string | null;
  /** Now; null while no proxy runs. */
  networks: number | null;
  connections: number | null;
  lastSeenAt: string | null;
  /** How often a stale link was tried since the start of the proxy, and when last. */
  tries: number;
  triedAt: string | null;
  /** Whether closing it would keep anybody out who came lately. */
  safe: boolean;
  why: string;
  /** Why the operator closed it; null where nobody said. */
  reason: string | null;
}

/** Who came within this time is likely to come again. */
const LATELY_MS = 86_400_000;

/** What went before the secrets in use, and whether it can be closed. `usage` is null while no proxy runs. */
export function listRotations(users: UserRecord[], usage: UsageReply | null, now: number): Rotation[] {
  const rows = new Map(usage?.rows.map((row) => [row.id, row]));
  return users.flatMap((user) =>
    user.secrets
      .filter(({ state }) => state !== 'active')
      .map((secret) => {
        const row = rows.get(secret.id);
        const lastSeen = Math.max(secret.lastSeenAt ?? 0, (row?.lastSeen ?? 0) * 1000);
        const connections = usage === null ? null : (row?.connections ?? 0);
        const networks = usage === null ? null : (row?.networks ?? 0);
        return {
          name: user.name,
          userId: user.id,
          secret: secret.id,
          state: secret.state as Rotation['state'],
          until: untilOf(secret),
          networks,
          connections,
          lastSeenAt: lastSeen === 0 ? null : new Date(lastSeen).toISOString(),
          tries: row?.stale ?? 0,
          reason: secret.closeReason,
          triedAt: row === undefined || row.staleAt === 0 ? null : new Date(row.staleAt * 1000).toISOString(),
          ...judge(secret, { connections, lastSeen, now }),
        };
      }),
  );
}

function untilOf({ state, retiringUntil, tombstoneUntil }: SecretRecord): string | null {
  const until = state === 'retiring' ? retiringUntil : state === 'revoked' ? tombstoneUntil : null;
  return until === null ? null : new Date(until).toISOString();
}

interface Use {
  connections: number | null;
  /** Unix ms; 0 for never. */
  lastSeen: number;
  now: number;
}

function judge(
  { state, closeReason }: SecretRecord,
  { connections, lastSeen, now }: Use,
): { safe: boolean; why: string } {
  if (state === 'revoked') return { safe: true, why: closeReason === null ? 'closed' : `closed: ${closeReason}` };
  if (connections === null) return { safe: false, why: 'not known, no proxy runs' };
  if (connections > 0) return { safe: false, why: 'in use' };
  if (now - lastSeen < LATELY_MS) return { safe: false, why: 'used today' };
  return { safe: true, why: lastSeen === 0 ? 'never used' : 'not used for a day' };
}

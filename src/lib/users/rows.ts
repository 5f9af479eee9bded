import type { NewSecretRow, NewUserRow, SecretRow, UserRow } from '../ledger/schema.ts';
import { foldName, type Quota, type SecretRecord, type SecretState, type UserRecord } from './user.ts';

/** Users as rows of the ledger and back. */

export function toUserRow(user: UserRecord): NewUserRow {
  const { limits } = user;
  return {
    id: user.id,
    label: user.name,
    label_fold: foldName(user.name),
    enabled: user.enabled ? 1 : 0,
    created_at: user.createdAt,
    last_seen_at: user.lastSeenAt,
    expires_at: user.expiresAt,
    notes: user.notes,
    max_connections: limits.connections,
    max_networks: limits.networks,
    quota_bytes: limits.quota?.bytes ?? null,
    quota_period: limits.quota?.period ?? null,
    quota_start: limits.quota?.start ?? null,
    up_bytes_per_second: limits.upBytesPerSecond,
    down_bytes_per_second: limits.downBytesPerSecond,
    rotate_after: user.rotateAfter,
  };
}

export function fromUserRow<Secret extends SecretRecord>(
  row: UserRow,
  tags: string[],
  secrets: Secret[],
): UserRecord & { secrets: Secret[] } {
  return {
    id: row.id,
    name: row.label,
    enabled: row.enabled === 1,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    expiresAt: row.expires_at,
    notes: row.notes,
    tags: tags.sort(),
    limits: {
      connections: row.max_connections,
      networks: row.max_networks,
      quota: quotaOf(row),
      upBytesPerSecond: row.up_bytes_per_second,
      downBytesPerSecond: row.down_bytes_per_second,
    },
    rotateAfter: row.rotate_after,
    secrets,
  };
}

function quotaOf({ quota_bytes, quota_period, quota_start }: UserRow): Quota | null {
  if (quota_bytes === null || quota_period === null || quota_start === null) return null;
  return { bytes: quota_bytes, period: quota_period as Quota['period'], start: quota_start };
}

export function toSecretRow(
  userId: string,
  secret: SecretRecord,
  sealed: Pick<NewSecretRow, 'sealed' | 'fingerprint'>,
): NewSecretRow {
  return {
    id: secret.id,
    user_id: userId,
    created_at: secret.createdAt,
    last_seen_at: secret.lastSeenAt,
    ...toSecretState(secret),
    ...sealed,
  };
}

/** The columns that change over a secret's life. */
export function toSecretState(
  secret: SecretRecord,
): Pick<
  NewSecretRow,
  'state' | 'retiring_until' | 'retire_limit_networks' | 'revoked_at' | 'tombstone_until' | 'close_reason'
> {
  return {
    state: secret.state,
    retiring_until: secret.retiringUntil,
    retire_limit_networks: secret.retireLimitNetworks,
    revoked_at: secret.revokedAt,
    tombstone_until: secret.tombstoneUntil,
    close_reason: secret.closeReason,
  };
}

export function fromSecretRow(row: SecretRow): SecretRecord {
  return {
    id: row.id,
    state: row.state as SecretState,
    createdAt: row.created_at,
    retiringUntil: row.retiring_until,
    retireLimitNetworks: row.retire_limit_networks,
    revokedAt: row.revoked_at,
    tombstoneUntil: row.tombstone_until,
    closeReason: row.close_reason,
    lastSeenAt: row.last_seen_at,
  };
}

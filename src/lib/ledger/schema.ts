import type { Generated, Insertable, Selectable } from 'kysely';

/**
 * The tables of the ledger, as its newest migration leaves them. Times are milliseconds of Unix time, rates are bytes a
 * second, null is "no limit" or "never": 0 means 0. What is counted for a user or a secret refers to their `id`.
 */
export interface Tables {
  meta: MetaTable;
  users: UsersTable;
  user_tags: UserTagsTable;
  secrets: SecretsTable;
  usage: UsageTable;
  usage_periods: UsagePeriodsTable;
  usage_marks: UsageMarksTable;
  removed_users: RemovedUsersTable;
  announcements: AnnouncementsTable;
  bans: BansTable;
  allowed_networks: AllowedNetworksTable;
  offences: OffencesTable;
  access_rules: AccessRulesTable;
  access_feeds: AccessFeedsTable;
  access_countries: AccessCountriesTable;
}

interface MetaTable {
  /**
   * `sealing_key`: id of the entry of the keyring that every secret is sealed under. `generation`: see `readGeneration`.
   * `usage_at`: up to when traffic was counted, Unix ms. `guard`: see `readGuardGeneration`.
   */
  key: string;
  value: string;
}

interface UsersTable {
  /** The order in which users were added. */
  seq: Generated<number>;
  /** 16 hex digits, random; it never changes and is never used again. */
  id: string;
  /** What the operator calls the user. */
  label: string;
  /** The label as labels are compared. */
  label_fold: string;
  /** 0 or 1. */
  enabled: number;
  created_at: number;
  last_seen_at: number | null;
  expires_at: number | null;
  notes: string;
  /** At once; a device takes eight. */
  max_connections: number | null;
  /** Networks at once: IPv4 addresses and IPv6 /64. */
  max_networks: number | null;
  quota_bytes: number | null;
  /** `day`, `week`, `month` or `total`; null without a quota. */
  quota_period: string | null;
  /** From when periods are counted; null without a quota. */
  quota_start: number | null;
  up_bytes_per_second: number | null;
  down_bytes_per_second: number | null;
  /** Age in ms at which a secret of the user is to be replaced. */
  rotate_after: number | null;
}

interface UserTagsTable {
  user_id: string;
  tag: string;
}

interface SecretsTable {
  /** The order in which secrets were added. */
  seq: Generated<number>;
  /** 16 hex digits, random. */
  id: string;
  user_id: string;
  /** `active`, `retiring` (its successor is handed out), `draining` (nobody new) or `revoked`. */
  state: string;
  created_at: number;
  retiring_until: number | null;
  /** Networks that may use it at once while it retires. */
  retire_limit_networks: number | null;
  revoked_at: number | null;
  /** Until when a revoked secret is still recognised, to be refused as such. */
  tombstone_until: number | null;
  /** Why the operator closed it, in a line; null where nobody said. */
  close_reason: string | null;
  last_seen_at: number | null;
  /** The 16 bytes of the key, sealed (docs/keyring.md). */
  sealed: Uint8Array;
  /** Keyed hash of the key: finds the same secret without opening any. */
  fingerprint: Uint8Array;
}

/** What a user moved within an hour, a day or a month of UTC. It is only ever added to. */
interface UsageTable {
  /** `hour`, `day` or `month`. */
  span: string;
  starts_at: number;
  /** Of a user, who may be removed by now. */
  user_id: string;
  /** Payload bytes from the client. */
  up: number;
  /** Payload bytes to the client. */
  down: number;
}

/** What a user moved since the period of their quota began or was reset: the newest row counts. */
interface UsagePeriodsTable {
  user_id: string;
  started_at: number;
  up: number;
  down: number;
}

/** How far the counters of an engine are in the tables above, written in the same transaction. */
interface UsageMarksTable {
  /** Of one engine process. */
  epoch: string;
  /** Of a user or a secret. */
  id: string;
  up: number;
  down: number;
}

/** What users were called whose usage is still known. */
interface RemovedUsersTable {
  id: string;
  label: string;
  removed_at: number;
}

/** New secrets that the hook `on-rotate` has yet to be told of. */
interface AnnouncementsTable {
  /** The order in which they are told. */
  seq: Generated<number>;
  /** Those of one rotation are told together: 16 hex digits. */
  rotation: string;
  secret_id: string;
  /** `command`, `emergency` or `policy`. */
  reason: string;
  rotated_at: number;
  /** How often the hook has failed. */
  tries: number;
  /** When it is told next; null where that was given up. */
  next_at: number | null;
  /** Why it failed last. */
  failure: string | null;
}

/** Networks that are or were shut out. */
interface BansTable {
  seq: Generated<number>;
  /** As `formatPrefix` writes it. */
  network: string;
  /** `mask`, `limit` or `drop`. */
  verdict: string;
  reason: string;
  /** The pattern that was seen, or `by hand`. */
  rule: string;
  /** What was seen, as JSON; null for a ban by hand. */
  evidence: string | null;
  /** Who did it: `mtp` by itself, or a user of the system. */
  actor: string;
  from_at: number;
  /** Null is until it is lifted. */
  until_at: number | null;
  /** When it was lifted or another took its place. */
  ended_at: number | null;
}

/** Networks that are never shut out. */
interface AllowedNetworksTable {
  network: string;
  reason: string;
  actor: string;
  created_at: number;
  until_at: number | null;
}

/** How networks behaved that raised suspicion, by the hour. */
interface OffencesTable {
  network: string;
  hour_at: number;
  last_at: number;
  /** The most points of the hour. */
  score: number;
  /** Openings of each kind, as JSON. */
  counts: string;
  /** 0 or 1: whether somebody there had proved to know a secret. */
  good: number;
}

export type BanRow = Selectable<BansTable>;
/** What networks are let do, as the operator wrote it. */
interface AccessRulesTable {
  /** Counts up, and is never used again. */
  id: Generated<number>;
  /** As `formatPrefix` writes it. */
  network: string;
  level: string;
  /** `enforce` or `observe`. */
  mode: string;
  reason: string;
  /** Separated by `; `; empty for at any time. */
  windows: string;
  /** Of the windows. */
  zone: string;
  created_at: number;
  until: number | null;
}

/** Lists of networks that are kept up to date; what they say is in a file each, named by its hash. */
interface AccessFeedsTable {
  name: string;
  /** Absolute path, or https URL. */
  source: string;
  level: string;
  mode: string;
  refresh_ms: number | null;
  /** SHA-256 that the content has to have. */
  pin: string | null;
  /** Of the content that is in force. */
  sha256: string | null;
  networks: number;
  /** What the server said of that content, for asking whether there is another. */
  etag: string | null;
  last_modified: string | null;
  fetched_at: number | null;
  checked_at: number | null;
  failure: string | null;
  created_at: number;
}

/** What countries are let do: one row or none. */
interface AccessCountriesTable {
  id: number;
  kind: string;
  /** Separated by spaces. */
  countries: string;
  unknown: string;
  mode: string;
  database: string;
  changed_at: number;
}

export type AccessRuleRow = Selectable<AccessRulesTable>;
export type AccessFeedRow = Selectable<AccessFeedsTable>;
export type AccessCountriesRow = Selectable<AccessCountriesTable>;
export type UserRow = Selectable<UsersTable>;
export type NewUserRow = Insertable<UsersTable>;
export type SecretRow = Selectable<SecretsTable>;
export type NewSecretRow = Insertable<SecretsTable>;

/** Name of the newest migration: the schema that this version of mtp speaks. */
export const SCHEMA = '006-access';

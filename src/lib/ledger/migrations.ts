import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Every step from an empty database to the present schema. A step that was released is never changed. */
export const MIGRATIONS: Record<string, Migration> = {
  '001-users': { up: users },
  '002-usage': { up: usage },
  '003-announcements': { up: announcements },
  '004-close-reasons': { up: closeReasons },
  '005-guard': { up: guard },
  '006-access': { up: access },
};

async function users(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('meta')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('users')
    .addColumn('seq', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('label', 'text', (column) => column.notNull())
    .addColumn('label_fold', 'text', (column) => column.notNull().unique())
    .addColumn('enabled', 'integer', (column) => column.notNull().check(sql`enabled in (0, 1)`))
    .addColumn('created_at', 'integer', (column) => column.notNull())
    .addColumn('last_seen_at', 'integer')
    .addColumn('expires_at', 'integer')
    .addColumn('notes', 'text', (column) => column.notNull())
    .addColumn('max_connections', 'integer', (column) => column.check(sql`max_connections >= 0`))
    .addColumn('max_networks', 'integer', (column) => column.check(sql`max_networks >= 0`))
    .addColumn('quota_bytes', 'integer', (column) => column.check(sql`quota_bytes >= 0`))
    .addColumn('quota_period', 'text', (column) => column.check(sql`quota_period in ('day', 'week', 'month', 'total')`))
    .addColumn('quota_start', 'integer')
    .addColumn('up_bytes_per_second', 'integer', (column) => column.check(sql`up_bytes_per_second >= 0`))
    .addColumn('down_bytes_per_second', 'integer', (column) => column.check(sql`down_bytes_per_second >= 0`))
    .addColumn('rotate_after', 'integer', (column) => column.check(sql`rotate_after > 0`))
    .addCheckConstraint(
      'a_quota_is_whole',
      sql`(quota_bytes is null) = (quota_period is null) and (quota_bytes is null) = (quota_start is null)`,
    )
    .execute();
  await db.schema
    .createTable('user_tags')
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('tag', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('user_tags_key', ['user_id', 'tag'])
    .execute();
  await db.schema
    .createTable('secrets')
    .addColumn('seq', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('state', 'text', (column) =>
      column.notNull().check(sql`state in ('active', 'retiring', 'draining', 'revoked')`),
    )
    .addColumn('created_at', 'integer', (column) => column.notNull())
    .addColumn('retiring_until', 'integer')
    .addColumn('retire_limit_networks', 'integer', (column) => column.check(sql`retire_limit_networks >= 0`))
    .addColumn('revoked_at', 'integer')
    .addColumn('tombstone_until', 'integer')
    .addColumn('last_seen_at', 'integer')
    .addColumn('sealed', 'blob', (column) => column.notNull())
    .addColumn('fingerprint', 'blob', (column) => column.notNull().unique())
    .execute();
  await db.schema.createIndex('secrets_by_user').on('secrets').column('user_id').execute();
  await db.schema.createIndex('user_tags_by_tag').on('user_tags').column('tag').execute();
}

async function usage(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('usage')
    .addColumn('span', 'text', (column) => column.notNull().check(sql`span in ('hour', 'day', 'month')`))
    .addColumn('starts_at', 'integer', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('up', 'integer', (column) => column.notNull().check(sql`up >= 0`))
    .addColumn('down', 'integer', (column) => column.notNull().check(sql`down >= 0`))
    .addPrimaryKeyConstraint('usage_key', ['span', 'starts_at', 'user_id'])
    .modifyEnd(sql`without rowid`)
    .execute();
  await db.schema
    .createTable('usage_periods')
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('started_at', 'integer', (column) => column.notNull())
    .addColumn('up', 'integer', (column) => column.notNull().check(sql`up >= 0`))
    .addColumn('down', 'integer', (column) => column.notNull().check(sql`down >= 0`))
    .addPrimaryKeyConstraint('usage_periods_key', ['user_id', 'started_at'])
    .modifyEnd(sql`without rowid`)
    .execute();
  await db.schema
    .createTable('usage_marks')
    .addColumn('epoch', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('up', 'integer', (column) => column.notNull())
    .addColumn('down', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('usage_marks_key', ['epoch', 'id'])
    .modifyEnd(sql`without rowid`)
    .execute();
  await db.schema
    .createTable('removed_users')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('label', 'text', (column) => column.notNull())
    .addColumn('removed_at', 'integer', (column) => column.notNull())
    .execute();
}

async function announcements(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('announcements')
    .addColumn('seq', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('rotation', 'text', (column) => column.notNull())
    .addColumn('secret_id', 'text', (column) => column.notNull().unique().references('secrets.id').onDelete('cascade'))
    .addColumn('reason', 'text', (column) => column.notNull().check(sql`reason in ('command', 'emergency', 'policy')`))
    .addColumn('rotated_at', 'integer', (column) => column.notNull())
    .addColumn('tries', 'integer', (column) => column.notNull())
    .addColumn('next_at', 'integer')
    .addColumn('failure', 'text')
    .execute();
}

async function closeReasons(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('secrets').addColumn('close_reason', 'text').execute();
}

async function guard(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('bans')
    .addColumn('seq', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('network', 'text', (column) => column.notNull())
    .addColumn('verdict', 'text', (column) => column.notNull().check(sql`verdict in ('mask', 'limit', 'drop')`))
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('rule', 'text', (column) => column.notNull())
    .addColumn('evidence', 'text')
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('from_at', 'integer', (column) => column.notNull())
    .addColumn('until_at', 'integer')
    .addColumn('ended_at', 'integer')
    .execute();
  await db.schema.createIndex('bans_by_network').on('bans').column('network').execute();
  await db.schema
    .createTable('allowed_networks')
    .addColumn('network', 'text', (column) => column.primaryKey())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('created_at', 'integer', (column) => column.notNull())
    .addColumn('until_at', 'integer')
    .execute();
  await db.schema
    .createTable('offences')
    .addColumn('network', 'text', (column) => column.notNull())
    .addColumn('hour_at', 'integer', (column) => column.notNull())
    .addColumn('last_at', 'integer', (column) => column.notNull())
    .addColumn('score', 'real', (column) => column.notNull())
    .addColumn('counts', 'text', (column) => column.notNull())
    .addColumn('good', 'integer', (column) => column.notNull().check(sql`good in (0, 1)`))
    .addPrimaryKeyConstraint('offences_key', ['network', 'hour_at'])
    .modifyEnd(sql`without rowid`)
    .execute();
}

async function access(db: Kysely<unknown>): Promise<void> {
  const level = sql`level in ('NONE', 'READ_ONLY', 'STANDARD', 'ADMIN', 'SUPERUSER')`;
  const mode = sql`mode in ('enforce', 'observe')`;
  await db.schema
    .createTable('access_rules')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('network', 'text', (column) => column.notNull())
    .addColumn('level', 'text', (column) => column.notNull().check(level))
    .addColumn('mode', 'text', (column) => column.notNull().check(mode))
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('windows', 'text', (column) => column.notNull())
    .addColumn('zone', 'text', (column) => column.notNull())
    .addColumn('created_at', 'integer', (column) => column.notNull())
    .addColumn('until', 'integer')
    .execute();
  await db.schema.createIndex('access_rules_by_network').on('access_rules').column('network').execute();
  await db.schema
    .createTable('access_feeds')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('level', 'text', (column) => column.notNull().check(level))
    .addColumn('mode', 'text', (column) => column.notNull().check(mode))
    .addColumn('refresh_ms', 'integer', (column) => column.check(sql`refresh_ms > 0`))
    .addColumn('pin', 'text')
    .addColumn('sha256', 'text')
    .addColumn('networks', 'integer', (column) => column.notNull().check(sql`networks >= 0`))
    .addColumn('etag', 'text')
    .addColumn('last_modified', 'text')
    .addColumn('fetched_at', 'integer')
    .addColumn('checked_at', 'integer')
    .addColumn('failure', 'text')
    .addColumn('created_at', 'integer', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('access_countries')
    .addColumn('id', 'integer', (column) => column.primaryKey().check(sql`id = 1`))
    .addColumn('kind', 'text', (column) => column.notNull().check(sql`kind in ('block', 'only')`))
    .addColumn('countries', 'text', (column) => column.notNull())
    .addColumn('unknown', 'text', (column) => column.notNull().check(sql`unknown in ('allow', 'block')`))
    .addColumn('mode', 'text', (column) => column.notNull().check(mode))
    .addColumn('database', 'text', (column) => column.notNull())
    .addColumn('changed_at', 'integer', (column) => column.notNull())
    .execute();
}

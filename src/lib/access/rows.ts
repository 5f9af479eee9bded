import type { AccessCountriesRow, AccessFeedRow, AccessRuleRow } from '../ledger/schema.ts';
import type { CountryPolicy } from './country.ts';
import type { Level, Mode } from './level.ts';
import { formatPrefix, parsePrefix, type Prefix } from './prefix.ts';
import type { AccessRule, Feed } from './rule.ts';
import { formatWindow, parseWindow, type Window } from './window.ts';

/** Rows of the ledger as what they mean, and back. */

const BETWEEN_WINDOWS = '; ';

export function fromRuleRow(row: AccessRuleRow): AccessRule {
  return {
    id: row.id,
    prefix: parsePrefix(row.network) as Prefix,
    level: row.level as Level,
    mode: row.mode as Mode,
    reason: row.reason,
    windows: row.windows === '' ? [] : row.windows.split(BETWEEN_WINDOWS).map((text) => parseWindow(text) as Window),
    zone: row.zone,
    createdAt: row.created_at,
    until: row.until,
  };
}

export function toRuleRow(rule: Omit<AccessRule, 'id'>): Omit<AccessRuleRow, 'id'> {
  const { prefix, level, mode, reason, windows, zone, createdAt, until } = rule;
  return {
    network: formatPrefix(prefix),
    level,
    mode,
    reason,
    windows: writeWindows(windows),
    zone,
    created_at: createdAt,
    until,
  };
}

export function writeWindows(windows: readonly Window[]): string {
  return windows.map(formatWindow).join(BETWEEN_WINDOWS);
}

export function fromFeedRow(row: AccessFeedRow): Feed {
  return {
    name: row.name,
    source: row.source,
    level: row.level as Level,
    mode: row.mode as Mode,
    refreshMs: row.refresh_ms,
    pin: row.pin,
    sha256: row.sha256,
    networks: row.networks,
    fetchedAt: row.fetched_at,
    checkedAt: row.checked_at,
    failure: row.failure,
    createdAt: row.created_at,
  };
}

export function fromCountriesRow(row: AccessCountriesRow): CountryPolicy {
  return {
    kind: row.kind as CountryPolicy['kind'],
    countries: row.countries.split(' ').filter((code) => code !== ''),
    unknown: row.unknown as CountryPolicy['unknown'],
    mode: row.mode as Mode,
    database: row.database,
    changedAt: row.changed_at,
  };
}

export function toCountriesRow(policy: CountryPolicy): AccessCountriesRow {
  const { kind, countries, unknown, mode, database, changedAt } = policy;
  return { id: 1, kind, countries: countries.join(' '), unknown, mode, database, changed_at: changedAt };
}

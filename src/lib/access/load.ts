import { stat } from 'node:fs/promises';
import { errnoCode, MtpError } from '../errors.ts';
import type { Ledger } from '../ledger/open.ts';
import { fileError } from '../system/files.ts';
import type { UserFiles } from '../users/files.ts';
import { readUsers } from '../users/with-users.ts';
import { type Country, type CountryPolicy, countryRulings } from './country.ts';
import { readFeed } from './feed-file.ts';
import { openCountryDatabase } from './mmdb.ts';
import { parseNetworkList } from './network-list.ts';
import { fromCountriesRow, fromFeedRow, fromRuleRow } from './rows.ts';
import type { Access, AccessRule, Feed } from './rule.ts';

/** Where rules, feeds and what they said last are kept. `Paths` has it all. */
export interface AccessFiles extends UserFiles {
  state: string;
}

export const NO_ACCESS: Access = { rules: [], feeds: [], countries: null, warnings: [] };

/**
 * The rules of this installation. What cannot be read is left out and warned of: one feed less is better than none. Feeds and
 * countries that are the same as in `known` are not read again.
 */
export async function loadAccess(files: AccessFiles, known: Access = NO_ACCESS): Promise<Access> {
  const { rules, feeds, policy } = await listAccess(files);
  const access: Access = { rules, feeds: [], countries: null, warnings: [] };
  const orWarn = async <Result>(what: string, read: () => Promise<Result>): Promise<Result | null> =>
    read().catch((error: unknown) => {
      if (!(error instanceof MtpError)) throw error;
      access.warnings.push(`${what}: ${error.message}`);
      return null;
    });
  for (const feed of feeds) {
    const prefixes = await orWarn(`The feed ${feed.name} is left out`, async () => {
      const same = known.feeds.find((one) => one.feed.name === feed.name && one.feed.sha256 === feed.sha256);
      if (same !== undefined || feed.sha256 === null) return same?.prefixes ?? [];
      return parseNetworkList(await readFeed(files.state, feed.name, feed.sha256)).prefixes;
    });
    if (prefixes !== null) access.feeds.push({ feed, prefixes });
  }
  if (policy !== null)
    access.countries = await orWarn('Countries are not told apart', async () => loadCountry(policy, known));
  return access;
}

/** What the ledger says, without what feeds and databases hold. */
export async function listAccess(
  files: UserFiles,
): Promise<{ rules: AccessRule[]; feeds: Feed[]; policy: CountryPolicy | null }> {
  return readUsers(files, { rules: [], feeds: [], policy: null }, async (ledger) => ({
    rules: await selectRules(ledger),
    feeds: await selectFeeds(ledger),
    policy: await selectPolicy(ledger),
  }));
}

/** In the order in which they were written. */
export async function selectRules(ledger: Ledger): Promise<AccessRule[]> {
  return (await ledger.selectFrom('access_rules').selectAll().orderBy('id').execute()).map(fromRuleRow);
}

export async function selectFeeds(ledger: Ledger): Promise<Feed[]> {
  return (await ledger.selectFrom('access_feeds').selectAll().orderBy('name').execute()).map(fromFeedRow);
}

export async function selectPolicy(ledger: Ledger): Promise<CountryPolicy | null> {
  const row = await ledger.selectFrom('access_countries').selectAll().executeTakeFirst();
  return row === undefined ? null : fromCountriesRow(row);
}

/** A policy with the networks that it means. */
async function loadCountry(policy: CountryPolicy, known: Access): Promise<Country> {
  const stamp = await countryStamp(policy);
  if (known.countries?.stamp === stamp) return known.countries;
  return { policy, stamp, rulings: countryRulings(policy, await openCountryDatabase(policy.database)) };
}

/** Another one where the policy or the file of its database is. */
export async function countryStamp(policy: CountryPolicy): Promise<string> {
  const found = await stat(policy.database).catch((error: unknown) => {
    if (errnoCode(error) === undefined) throw error;
    throw fileError('read', policy.database, error);
  });
  return JSON.stringify([policy, found.ino, found.size, found.mtimeMs]);
}

import { isDeepStrictEqual } from 'node:util';
import path from 'node:path';
import { EXIT, MtpError } from '../errors.ts';
import { changeGuard } from '../guard/store.ts';
import type { UserFiles } from '../users/files.ts';
import { withUsers } from '../users/with-users.ts';
import { type Country, type CountryPolicy, countryRulings, parseCountry } from './country.ts';
import { type AccessFiles, countryStamp, listAccess, selectPolicy } from './load.ts';
import { type CountryDatabase, openCountryDatabase } from './mmdb.ts';
import { toCountriesRow } from './rows.ts';

/** What the operator wants of countries, in words. */
export interface CountryWords {
  verb: 'block' | 'allow';
  codes: string[];
  /** Given where the kind of the policy is to be chosen or changed. */
  kind?: CountryPolicy['kind'] | undefined;
  unknown?: CountryPolicy['unknown'] | undefined;
  observe?: boolean | undefined;
  database?: string | undefined;
}

export interface CountryPlan {
  before: CountryPolicy | null;
  /** Null where nothing is left to be ruled on. */
  country: Country | null;
  warnings: string[];
}

/** What becomes of the policy; it is tried on its database, and nothing is kept. */
export async function planCountries(files: UserFiles, words: CountryWords, now: number): Promise<CountryPlan> {
  const before = (await listAccess(files)).policy;
  const database = await openCountryDatabase(databaseOf(words, before));
  const known = database.countries();
  const codes = words.codes.map((code) => parseCountry(code, known));
  const policy = decide(before, { ...words, codes }, database, now);
  if (policy === null) return { before, country: null, warnings: [] };
  const country = { policy, rulings: countryRulings(policy, database), stamp: await countryStamp(policy) };
  const missing = policy.countries.filter((code) => !known.has(code));
  return {
    before,
    country,
    warnings: missing.map((code) => `${database.file} has no network of ${code}.`),
  };
}

/** Keep a policy, or let go of the one there is, and read back what is kept. */
export async function keepCountries(files: UserFiles, policy: CountryPolicy | null): Promise<void> {
  await withUsers(files, async (ledger) => {
    await changeGuard(ledger, async (change) => {
      await change.deleteFrom('access_countries').execute();
      if (policy !== null) await change.insertInto('access_countries').values(toCountriesRow(policy)).execute();
    });
    if (isDeepStrictEqual(await selectPolicy(ledger), policy)) return;
    throw new MtpError('LEDGER_NOT_KEPT', `${files.ledgerFile} does not show what was just written of countries`, {
      hint: 'Run the command again.',
    });
  });
}

/** The policy that is in force; none is an error. */
export async function requirePolicy(files: UserFiles): Promise<CountryPolicy> {
  const { policy } = await listAccess(files);
  if (policy !== null) return policy;
  throw new MtpError('COUNTRY_NONE', 'nothing is said of countries yet', {
    exit: EXIT.precondition,
    hint: 'Begin with: mtp geo block --help',
  });
}

export interface CountriesView {
  policy: CountryPolicy | null;
  /** Networks that it takes. */
  networks: number;
  /** Null where it cannot be read. */
  database: { file: string; type: string; builtAt: string } | null;
  warnings: string[];
}

/** What is in force, and what its database is. */
export async function viewCountries(files: AccessFiles): Promise<CountriesView> {
  const { policy } = await listAccess(files);
  if (policy === null) return { policy, networks: 0, database: null, warnings: [] };
  try {
    const { file, type, builtAt, walk } = await openCountryDatabase(policy.database);
    const networks = countryRulings(policy, { walk }).length;
    return { policy, networks, database: { file, type, builtAt: new Date(builtAt).toISOString() }, warnings: [] };
  } catch (error) {
    if (!(error instanceof MtpError)) throw error;
    return { policy, networks: 0, database: null, warnings: [`Countries are not told apart: ${error.message}`] };
  }
}

function databaseOf({ database }: CountryWords, before: CountryPolicy | null): string {
  if (database !== undefined) return path.resolve(database);
  if (before !== null) return before.database;
  throw new MtpError('USAGE', 'a database of countries is needed', {
    exit: EXIT.usage,
    hint: 'Name one with --database FILE.mmdb; docs/access.md says where there are some.',
  });
}

function decide(
  before: CountryPolicy | null,
  { verb, codes, kind: wanted, unknown, observe }: CountryWords,
  database: CountryDatabase,
  now: number,
): CountryPolicy | null {
  const kind = wanted ?? before?.kind ?? (verb === 'block' ? 'block' : null);
  if (kind === null)
    throw wrong('no country is kept out yet', 'To let in nobody but those of these countries, add --mode only.');
  const adds = (verb === 'block') === (kind === 'block');
  const old = before?.kind === kind ? before.countries : [];
  if (!adds && old.length === 0) {
    throw verb === 'allow'
      ? wrong('--mode block is for countries to block', 'Write: mtp geo block CC --mode block')
      : wrong('--mode only is for countries to allow', 'Write: mtp geo allow CC --mode only');
  }
  const countries = (adds ? [...new Set([...old, ...codes])] : old.filter((code) => !codes.includes(code))).sort();
  const mode = observe === undefined ? (before?.mode ?? 'enforce') : observe ? 'observe' : 'enforce';
  const policy = { kind, countries, unknown: unknown ?? before?.unknown ?? 'allow', mode };
  if (kind === 'only' && countries.length === 0)
    throw wrong('no country would be left that is let in', 'To let in everybody again: mtp geo clear');
  if (countries.length === 0 && policy.unknown === 'allow') return null;
  return { ...policy, database: database.file, changedAt: now };
}

function wrong(problem: string, hint: string): MtpError {
  return new MtpError('USAGE', problem, { exit: EXIT.usage, hint });
}

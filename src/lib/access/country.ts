import { EXIT, MtpError } from '../errors.ts';
import type { Mode } from './level.ts';
import type { CountryDatabase } from './mmdb.ts';
import { parsePrefix, type Prefix } from './prefix.ts';
import { isCovered, packRanges } from './range-table.ts';
import type { Ruling } from './ruling.ts';

/** What the operator decided about countries. */
export interface CountryPolicy {
  /** `block` keeps those named out, `only` lets nobody else in. */
  kind: 'block' | 'only';
  /** ISO 3166-1 alpha-2, in order. */
  countries: string[];
  /** What becomes of addresses that the database knows no country of. */
  unknown: 'allow' | 'block';
  mode: Mode;
  /** Absolute path of the database (MaxMind DB format). */
  database: string;
  /** Unix time in ms. */
  changedAt: number;
}

/** The policy as networks. */
export interface Country {
  policy: CountryPolicy;
  rulings: Ruling[];
  /** Another one where the database or the policy is. */
  stamp: string;
}

/** Networks that are in no country (RFC 6890): those of a house or a machine. No country policy is about them. */
const NOWHERE = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1',
  'fc00::/7',
  'fe80::/10',
].map((text) => parsePrefix(text) as Prefix);

/** Of one policy; the largest countries take half of it. */
const MOST_COUNTRY_NETWORKS = 500_000;

/** Whether a policy keeps a country out; null is an unknown one. */
export function keepsOut({ kind, countries, unknown }: CountryPolicy, country: string | null): boolean {
  if (country === null) return unknown === 'block';
  return countries.includes(country) === (kind === 'block');
}

/**
 * A policy as rulings, the most specific of which holds: as few networks as the database allows. Where unknown addresses are
 * kept out everybody is, but for the networks of countries that are not.
 */
export function countryRulings(policy: CountryPolicy, database: Pick<CountryDatabase, 'walk'>): Ruling[] {
  const outside = keepsOut(policy, null);
  const rulings: Ruling[] = NOWHERE.map((prefix) => ({ prefix, verdict: null, until: null }));
  const nowhere = packRanges(NOWHERE.map((prefix) => ({ prefix, value: 1 })));
  const everybody = ['0.0.0.0/0', '::/0'].map((text) => parsePrefix(text) as Prefix);
  if (outside) for (const prefix of everybody) rulings.push({ prefix, verdict: 'mask', until: null });
  database.walk(
    (country) => keepsOut(policy, country),
    (prefix, out) => {
      if (out === outside || isCovered(nowhere, prefix)) return;
      if (rulings.length >= MOST_COUNTRY_NETWORKS) throw tooMany(policy);
      rulings.push({ prefix, verdict: out ? 'mask' : null, until: null });
    },
  );
  return rulings;
}

/** A code as it is written, or an error; it has to be one of ISO 3166-1 or of the database. */
export function parseCountry(text: string, inDatabase: ReadonlySet<string>): string {
  const code = text.toUpperCase();
  if (/^[A-Z]{2}$/.test(code) && (countryName(code) !== null || inDatabase.has(code))) return code;
  throw new MtpError('COUNTRY_UNKNOWN', `${JSON.stringify(text.slice(0, 40))} is no country`, {
    exit: EXIT.usage,
    hint: 'Write the two letters of ISO 3166-1, such as DE or US.',
  });
}

/** The English name; null for a code that is given to no country. */
export function countryName(code: string): string | null {
  // ICU has a name for that there is none.
  if (code === 'ZZ') return null;
  return new Intl.DisplayNames('en', { type: 'region', fallback: 'none' }).of(code) ?? null;
}

function tooMany({ database }: CountryPolicy): MtpError {
  const most = MOST_COUNTRY_NETWORKS.toLocaleString('en');
  return new MtpError('COUNTRY_NETWORKS', `these countries take more than ${most} networks of ${database}`, {
    exit: EXIT.precondition,
    hint: 'Use a database of countries, not one of cities or addresses.',
  });
}

import path from 'node:path';
import { EXIT, MtpError } from '../errors.ts';
import { requirePolicy } from './countries.ts';
import { keepsOut } from './country.ts';
import { nameOf, type OutcomeView, viewOutcome } from './describe.ts';
import { explain } from './explain.ts';
import { type AccessFiles, listAccess, loadAccess } from './load.ts';
import { openCountryDatabase } from './mmdb.ts';
import { addressWords, cut, formatPrefix } from './prefix.ts';

/** What everything that is written makes of an address at a Unix time in ms. */
export async function checkAddress(
  files: AccessFiles,
  text: string,
  now: number,
): Promise<{ view: OutcomeView; warnings: string[] }> {
  const { words, address } = readAddress(text);
  const access = await loadAccess(files);
  const { countries, warnings } = access;
  const database = countries === null ? null : await openCountryDatabase(countries.policy.database);
  const country = database?.lookUp(address) ?? null;
  return { view: viewOutcome(address, explain(access, words, now), country), warnings };
}

export interface CountryOf {
  address: string;
  /** Null for an unknown one. */
  country: string | null;
  name: string | null;
  /** What is said of that country; null where nothing is said of countries. */
  verdict: 'let in' | 'cover' | null;
  database: string;
  sentence: string;
}

/** The country of an address, by the database that is in use or another one. */
export async function countryOfAddress(
  files: AccessFiles,
  text: string,
  other: string | undefined,
): Promise<CountryOf> {
  const { address } = readAddress(text);
  const policy = other === undefined ? await requirePolicy(files) : (await listAccess(files)).policy;
  const database = await openCountryDatabase(other === undefined ? (policy?.database ?? '') : path.resolve(other));
  const country = database.lookUp(address);
  const name = country === null ? null : nameOf(country);
  const verdict = policy === null ? null : keepsOut(policy, country) ? 'cover' : 'let in';
  const where = name === null ? 'is in no country that the database knows' : `is in ${name}`;
  const what = { cover: ', which is kept out', 'let in': ', which is let in' };
  const sentence = `${address} ${where}${verdict === null ? '' : what[verdict]}.`;
  return { address, country, name, verdict, database: database.file, sentence };
}

function readAddress(text: string): { words: number[]; address: string } {
  const words = addressWords(text.trim());
  if (words !== null) return { words, address: formatPrefix(cut(words, 32 * words.length)) };
  throw new MtpError('ADDRESS_INVALID', `${JSON.stringify(text.slice(0, 60))} is no address`, {
    exit: EXIT.usage,
    hint: 'Write one address, such as 198.51.100.7 or 2001:db8::1.',
  });
}

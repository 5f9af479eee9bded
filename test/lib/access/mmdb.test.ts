import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CountryPolicy, countryRulings } from '../../../src/lib/access/country.ts';
import { type CountryDatabase, openCountryDatabase } from '../../../src/lib/access/mmdb.ts';
import { formatPrefix } from '../../../src/lib/access/prefix.ts';
import { lookUp, packRanges } from '../../../src/lib/access/range-table.ts';
import { countryDatabase, wordsOf } from '../../support/mmdb.ts';

const NETWORKS = {
  '198.51.100.0/24': 'DE',
  '198.51.101.0/24': 'DE',
  '198.51.102.0/23': 'FR',
  '203.0.113.0/25': 'FR',
  '10.1.0.0/16': 'FR',
  '2001:db8::/32': 'DE',
  '2001:db9::/33': 'FR',
};

let dir: string;
let file: string;
let database: CountryDatabase;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-mmdb-'));
  file = path.join(dir, 'countries.mmdb');
  await writeFile(file, countryDatabase(NETWORKS));
  database = await openCountryDatabase(file);
});
afterAll(async () => rm(dir, { recursive: true, force: true }));

const policy = (wish: Partial<CountryPolicy>): CountryPolicy => ({
  kind: 'block',
  countries: ['FR'],
  unknown: 'allow',
  mode: 'enforce',
  database: file,
  changedAt: 0,
  ...wish,
});
const rulings = (wish: Partial<CountryPolicy>, from = database): string[] =>
  countryRulings(policy(wish), from)
    .filter(({ verdict }) => verdict === 'mask')
    .map(({ prefix }) => formatPrefix(prefix))
    .sort();
const isMasked = (wish: Partial<CountryPolicy>, address: string, from = database): boolean => {
  const table = packRanges(
    countryRulings(policy(wish), from).map(({ prefix, verdict }) => ({ prefix, value: verdict === null ? 1 : 2 })),
  );
  return lookUp(table, wordsOf(address)) === 2;
};

describe('a database of countries', () => {
  test('says what it is, and where addresses are', () => {
    expect(database).toMatchObject({ type: 'Test-Country', builtAt: 1_800_000_000_000 });
    expect(database.lookUp('198.51.100.9')).toBe('DE');
    expect(database.lookUp('203.0.113.1')).toBe('FR');
    expect(database.lookUp('203.0.113.200')).toBeNull();
    expect(database.lookUp('2001:db8::9')).toBe('DE');
    expect([...database.countries()].sort()).toEqual(['DE', 'FR']);
  });

  test('gives as few networks as it can, each once', () => {
    expect(rulings({})).toEqual(['198.51.102.0/23', '2001:db9::/33', '203.0.113.0/25']);
    expect(rulings({ countries: ['DE'] })).toEqual(['198.51.100.0/23', '2001:db8::/32']);
    expect(rulings({ countries: ['DE', 'FR'] })).toContain('198.51.100.0/22');
    expect(rulings({ countries: ['DE'], kind: 'only' })).toEqual(rulings({}));
    expect(rulings({ unknown: 'block' })).toEqual(['0.0.0.0/0', '::/0']);
  });

  test('unknown countries are let in or not, as is said; those of the house always are', () => {
    expect(isMasked({ kind: 'only', countries: ['DE'] }, '203.0.113.200')).toBe(false);
    const strict: Partial<CountryPolicy> = { kind: 'only', countries: ['DE'], unknown: 'block' };
    expect(isMasked(strict, '203.0.113.200')).toBe(true);
    expect(isMasked(strict, '198.51.100.9')).toBe(false);
    expect(isMasked(strict, '2001:db8::9')).toBe(false);
    expect(isMasked(strict, '2001:db9::9')).toBe(true);
    for (const own of ['10.1.2.3', '192.168.1.1', '127.0.0.1', '::1', 'fd00::1', 'fe80::1'])
      expect(isMasked(strict, own), own).toBe(false);
  });

  test('what the networks say is what a look at the database says', () => {
    const wish: Partial<CountryPolicy> = { kind: 'only', countries: ['FR'], unknown: 'block' };
    for (const third of [99, 100, 101, 102, 103, 104]) {
      for (const address of [`198.51.${third}.0`, `198.51.${third}.255`]) {
        expect(isMasked(wish, address), address).toBe(database.lookUp(address) !== 'FR');
      }
    }
  });

  test('what is none is an error that names it', async () => {
    const text = path.join(dir, 'text.mmdb');
    await writeFile(text, 'hello');
    await expect(openCountryDatabase(text)).rejects.toMatchObject({ code: 'COUNTRY_DATABASE' });
    await expect(openCountryDatabase(path.join(dir, 'none'))).rejects.toMatchObject({ code: 'FILE_ENOENT' });
  });

  test('a tree that leads back into itself ends as an error', async () => {
    const bytes = countryDatabase(NETWORKS);
    // Both records of the second node lead to the first.
    bytes.fill(0, 6, 12);
    const broken = path.join(dir, 'loop.mmdb');
    await writeFile(broken, bytes);
    const opened = await openCountryDatabase(broken);
    expect(() => countryRulings(policy({}), opened)).toThrow(expect.objectContaining({ code: 'COUNTRY_DATABASE' }));
  });

  test('one that was cut off ends as an error, wherever', async () => {
    const bytes = countryDatabase(NETWORKS);
    for (let length = 0; length < bytes.length - 1; length += 97) {
      const broken = path.join(dir, 'cut.mmdb');
      await writeFile(broken, bytes.subarray(0, length));
      await expect(openCountryDatabase(broken), String(length)).rejects.toMatchObject({ code: 'COUNTRY_DATABASE' });
    }
  });

  test.skipIf(!hasPerlWriter()).each(['country_code', 'country', 'registered'])(
    'the words of others are known: %s',
    async (word) => {
      const perl = path.join(dir, `${word}.mmdb`);
      writeByPerl(perl, 24, word);
      expect((await openCountryDatabase(perl)).lookUp('198.51.100.9')).toBe('DE');
    },
  );

  test.skipIf(!hasPerlWriter()).each([24, 28, 32])(
    'files of MaxMind’s own writer are read, with records of %i bits',
    async (size) => {
      const perl = path.join(dir, `perl-${size}.mmdb`);
      writeByPerl(perl, size, 'iso_code');
      const theirs = await openCountryDatabase(perl);
      for (const wish of [{}, { countries: ['DE'] }, { countries: ['DE', 'FR'] }, { kind: 'only' as const }]) {
        expect(rulings(wish, theirs)).toEqual(rulings(wish));
      }
      expect(theirs.lookUp('2001:db9::1')).toBe('FR');
    },
  );
});

function hasPerlWriter(): boolean {
  return spawnSync('perl', ['-MMaxMind::DB::Writer::Tree', '-e', '1']).status === 0;
}

/** The same networks by the library of MaxMind. */
function writeByPerl(to: string, size: number, word: string): void {
  const value = {
    iso_code: '{ country => { iso_code => $cc } }',
    country_code: '{ country_code => $cc }',
    country: '{ country => $cc }',
    registered: '{ registered_country => { iso_code => $cc } }',
  }[word];
  const script = `
    use MaxMind::DB::Writer::Tree;
    my %types = (country => '${word === 'country' ? 'utf8_string' : 'map'}', registered_country => 'map', iso_code => 'utf8_string', country_code => 'utf8_string');
    my $tree = MaxMind::DB::Writer::Tree->new(ip_version => 6, record_size => ${size}, database_type => 'Test-Country',
      languages => ['en'], description => { en => 'test' }, alias_ipv6_to_ipv4 => 1, remove_reserved_networks => 0,
      map_key_type_callback => sub { $types{ $_[0] } });
    my %networks = (${Object.entries(NETWORKS)
      .map(([network, code]) => `'${network}' => '${code}'`)
      .join(', ')});
    for my $network (keys %networks) { my $cc = $networks{$network}; $tree->insert_network($network, ${value}); }
    open my $fh, '>:raw', $ARGV[0] or die; $tree->write_tree($fh); close $fh;`;
  execFileSync('perl', ['-e', script, to], { stdio: 'pipe' });
}

import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import AccessAdd from '../../../src/commands/access/add.ts';
import AccessCheck from '../../../src/commands/access/check.ts';
import AccessExport from '../../../src/commands/access/export.ts';
import FeedAdd from '../../../src/commands/access/feed/add.ts';
import FeedList from '../../../src/commands/access/feed/list.ts';
import FeedRefresh from '../../../src/commands/access/feed/refresh.ts';
import FeedRemove from '../../../src/commands/access/feed/remove.ts';
import AccessImport from '../../../src/commands/access/import.ts';
import AccessList from '../../../src/commands/access/list.ts';
import AccessRemove from '../../../src/commands/access/remove.ts';
import GeoAllow from '../../../src/commands/geo/allow.ts';
import GeoBlock from '../../../src/commands/geo/block.ts';
import GeoCheck from '../../../src/commands/geo/check.ts';
import GeoClear from '../../../src/commands/geo/clear.ts';
import GeoList from '../../../src/commands/geo/list.ts';
import { EXIT } from '../../../src/lib/errors.ts';
import { countryDatabase } from '../../support/mmdb.ts';
import { type Outcome, run } from '../../support/run-command.ts';

const PEER = '203.0.113.99';

let home: string;
let database: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-access-'));
  database = path.join(home, 'countries.mmdb');
  await writeFile(
    database,
    countryDatabase({ '203.0.113.0/24': 'DE', '198.51.100.0/24': 'FR', '2001:db8::/32': 'FR' }),
  );
  vi.stubEnv('SSH_CONNECTION', `${PEER} 50000 192.0.2.1 22`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  process.exitCode = undefined;
  await rm(home, { recursive: true, force: true });
});

const mtp = async <Result = Record<string, unknown>>(command: unknown, ...argv: string[]): Promise<Outcome<Result>> =>
  run<Result>(command, [...argv, '--home', path.join(home, 'mtp')]);
const verdict = async (address: string): Promise<string | undefined> =>
  (await mtp<{ verdict: string }>(AccessCheck, address)).result?.verdict;

describe('access rules', () => {
  test('are added, explained, listed and removed', async () => {
    const added = await mtp(AccessAdd, '198.51.100.0/24', '--level', 'none', '--reason', 'scans');
    expect(added.stdout).toMatch(/^\+ 198\.51\.100\.0\/24 NONE\nNo proxy is running here/);
    await mtp(AccessAdd, '198.51.100.7', '--level', 'STANDARD', '--for', '2h');
    const { stdout, result } = await mtp(AccessCheck, '198.51.100.7');
    expect(stdout).toMatch(
      /^198\.51\.100\.7 is let in with a valid secret: rule 2 says so of 198\.51\.100\.7 until 20/,
    );
    expect(result).toMatchObject({ by: { source: 'rule 2' }, speakers: [{}, { source: 'rule 1', reason: 'scans' }] });
    expect((await mtp(AccessCheck, '198.51.100.8')).stdout).toMatch(/shown the cover[^]*\* +rule 1/);
    expect((await mtp(AccessList)).stdout.split('\n')).toHaveLength(4);
    expect((await mtp(AccessRemove, '198.51.100.0/24', '--yes')).stdout).toMatch(/Removed 1 rule\./);
    expect(await verdict('198.51.100.8')).toBe('let in');
  });

  test('that would keep the operator out are asked about, and need --yes without a terminal', async () => {
    const refused = await mtp(AccessAdd, '203.0.113.0/24', '--level', 'NONE');
    expect(refused.error).toMatchObject({ code: 'NEEDS_ANSWER', exit: EXIT.usage });
    expect(refused.stderr).toContain(`would not let ${PEER} in any more: it is somebody who is logged in over SSH`);
    // A time at which it will be so counts as well.
    const later = await mtp(AccessAdd, '203.0.113.0/24', '--level', 'NONE', '--window', 'mon 00:00-00:01');
    expect(later.error).toMatchObject({ code: 'NEEDS_ANSWER' });
    expect(existsSync(path.join(home, 'mtp', 'ledger.db'))).toBe(false);
    expect((await mtp(AccessAdd, '203.0.113.0/24', '--level', 'NONE', '--yes')).error).toBeUndefined();
    expect(await verdict(PEER)).toBe('cover');
  });

  test('that let the operator in are not taken away without a word', async () => {
    await mtp(AccessAdd, '0.0.0.0/0', '--level', 'NONE', '--yes');
    await mtp(AccessAdd, PEER, '--level', 'STANDARD');
    const { error, stderr } = await mtp(AccessRemove, PEER);
    expect(error).toMatchObject({ code: 'NEEDS_ANSWER' });
    expect(stderr).toContain(PEER);
  });

  test('of a dry run are not kept', async () => {
    const { stdout } = await mtp(AccessAdd, '198.51.100.1-198.51.100.3', '--level', 'NONE', '--dry-run');
    expect(stdout).toBe('+ 198.51.100.1 NONE\n+ 198.51.100.2/31 NONE\nNothing was changed.\n');
    expect((await mtp(AccessList)).stdout).toMatch(/^No access rules yet/);
  });

  test('are imported from a list, whole or the lines that are right', async () => {
    const file = path.join(home, 'list.txt');
    await writeFile(file, '198.51.100.0/24\nnonsense\n');
    const refused = await mtp(AccessImport, file, '--level', 'NONE');
    expect(refused.error).toMatchObject({ code: 'IMPORT_REFUSED', exit: EXIT.precondition });
    expect(refused.stderr).toContain(`${file}:2: "nonsense" is no network`);
    const taken = await mtp(AccessImport, file, '--level', 'NONE', '--partial');
    expect(taken.result).toMatchObject({ added: 1, faults: [{ line: 2 }] });
    expect(process.exitCode).toBe(EXIT.warnings);
    expect((await mtp(AccessExport)).stdout).toBe(
      'network,level,mode,reason,windows,zone,until\n198.51.100.0/24,NONE,enforce,,,,\n',
    );
  });

  test.each([
    [['198.51.100.1/24', '--level', 'NONE'], /did you mean 198\.51\.100\.0\/24/],
    [['example.org', '--level', 'NONE'], /Write an address/],
    [['198.51.100.0/24'], /Write one of NONE/],
  ])('%j is refused with what to write', async (argv, hint) => {
    const { error } = await mtp(AccessAdd, ...argv);
    expect(error?.exit).toBe(EXIT.usage);
    expect(error?.hint).toMatch(hint);
  });
});

describe('feeds', () => {
  test('are added, listed with what is wrong, and removed', async () => {
    const list = path.join(home, 'list.txt');
    await writeFile(list, '198.51.100.0/24\n198.51.101.5-198.51.101.6\n');
    const added = await mtp(FeedAdd, 'bad', list, '--level', 'NONE');
    expect(added.result).toMatchObject({ networks: 3, wrong: 0, feed: { name: 'bad', refreshMs: 86_400_000 } });
    expect(await verdict('198.51.101.6')).toBe('cover');
    await writeFile(list, '<html>');
    const failed = await mtp(FeedRefresh, 'bad');
    expect([failed.stdout, process.exitCode]).toEqual([
      expect.stringContaining('bad: failed, and stays as it was'),
      EXIT.failed,
    ]);
    expect((await mtp(FeedList)).stdout).toMatch(/bad +NONE +3 +1d[^]*failed \ds ago: .* is a web page/);
    expect(await verdict('198.51.101.6')).toBe('cover');
    expect((await mtp(FeedRemove, 'bad', '--yes')).stdout).toMatch(/^Removed the feed bad\./);
    expect(await verdict('198.51.101.6')).toBe('let in');
  });

  test('that would keep the operator out are asked about', async () => {
    const list = path.join(home, 'list.txt');
    await writeFile(list, '203.0.113.0/24\n');
    expect((await mtp(FeedAdd, 'bad', list, '--level', 'NONE')).error).toMatchObject({ code: 'NEEDS_ANSWER' });
    expect((await mtp(FeedAdd, 'bad', list, '--level', 'NONE', '--dry-run')).result).toMatchObject({
      feed: null,
      hits: [{ address: PEER }],
    });
    expect((await mtp(FeedList)).stdout).toMatch(/^No feeds yet/);
  });
});

describe('countries', () => {
  test('are kept out and let in again', async () => {
    expect((await mtp(GeoBlock, 'fr')).error).toMatchObject({ exit: EXIT.usage });
    const blocked = await mtp(GeoBlock, 'fr', 'RU', '--database', database);
    expect(blocked.stdout).toMatch(/^Kept out: France \(FR\), Russia \(RU\)\./);
    expect(blocked.stderr).toContain('has no network of RU');
    expect([await verdict('198.51.100.1'), await verdict('2001:db8::1'), await verdict(PEER)]).toEqual([
      'cover',
      'cover',
      'let in',
    ]);
    expect((await mtp(GeoCheck, '198.51.100.1')).stdout).toBe('198.51.100.1 is in France (FR), which is kept out.\n');
    expect((await mtp(GeoCheck, '192.0.2.1')).stdout).toMatch(/in no country that the database knows, which is let in/);
    await mtp(AccessAdd, '198.51.100.0/25', '--level', 'STANDARD');
    expect([await verdict('198.51.100.1'), await verdict('198.51.100.200')]).toEqual(['let in', 'cover']);
    await mtp(GeoAllow, 'RU');
    expect((await mtp(GeoList)).result).toMatchObject({
      policy: { countries: ['FR'], kind: 'block' },
      database: { type: 'Test-Country' },
    });
    expect((await mtp(GeoAllow, 'FR')).result).toMatchObject({ policy: null, changed: true });
    expect((await mtp(GeoClear, '--yes')).error).toMatchObject({ code: 'COUNTRY_NONE' });
  });

  test('of the operator are asked about', async () => {
    for (const argv of [
      [GeoBlock, 'DE'],
      [GeoAllow, 'FR', '--mode', 'only'],
    ] as const) {
      const [command, ...words] = argv;
      const { error, stderr } = await mtp(command, ...words, '--database', database);
      expect(error).toMatchObject({ code: 'NEEDS_ANSWER' });
      expect(stderr).toContain(PEER);
    }
    expect((await mtp(GeoList)).result).toMatchObject({ policy: null });
    // What is only observed keeps nobody out.
    expect((await mtp(GeoBlock, 'DE', '--database', database, '--observe')).error).toBeUndefined();
    expect(await verdict(PEER)).toBe('let in');
  });

  test('may be the only ones, with those of nowhere or without', async () => {
    await mtp(GeoAllow, 'DE', '--mode', 'only', '--database', database, '--yes');
    expect([await verdict('198.51.100.1'), await verdict('192.0.2.1')]).toEqual(['cover', 'let in']);
    await mtp(GeoAllow, 'DE', '--unknown', 'block', '--yes');
    expect([await verdict('192.0.2.1'), await verdict(PEER), await verdict('10.0.0.1')]).toEqual([
      'cover',
      'let in',
      'let in',
    ]);
    expect((await mtp(GeoBlock, 'DE')).error?.message).toMatch(/no country would be left/);
  });

  test.each([
    [GeoAllow, ['DE'], /--mode only/],
    [GeoAllow, ['DE', '--mode', 'block'], /geo block/],
    [GeoBlock, ['DE', '--mode', 'only'], /geo allow/],
    [GeoBlock, ['Germany'], /two letters/],
    [GeoBlock, ['ZZ'], /two letters/],
  ])('%o %j is refused with what to write', async (command, argv, hint) => {
    const { error } = await mtp(command, ...argv, '--database', database);
    expect(error?.exit).toBe(EXIT.usage);
    expect(error?.hint).toMatch(hint);
  });

  test('whose database is gone are not told apart, which is said', async () => {
    await mtp(GeoBlock, 'FR', '--database', database);
    await rm(database);
    expect((await mtp(GeoList)).stderr).toContain('Countries are not told apart');
    const { result, stderr, error } = await mtp<{ verdict: string }>(AccessCheck, '198.51.100.1');
    expect(error).toBeUndefined();
    expect([result?.verdict, stderr]).toEqual(['let in', expect.stringContaining('not told apart')]);
  });
});

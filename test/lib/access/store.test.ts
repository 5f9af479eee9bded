import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listAccess } from '../../../src/lib/access/load.ts';
import { MOST_RULES } from '../../../src/lib/access/rule.ts';
import { exportRules, readRuleFile } from '../../../src/lib/access/rule-file.ts';
import { readNetworks, readRuleWish, type RuleWish, type RuleWords } from '../../../src/lib/access/rule-wish.ts';
import { findRules, keepRules, planRules, removeRules } from '../../../src/lib/access/store.ts';
import { EXIT } from '../../../src/lib/errors.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { guardGeneration } from '../../support/rules.ts';
import { pathsIn } from '../../support/files.ts';

const NOW = Date.UTC(2027, 0, 15, 12);
const DAY_MS = 86_400_000;

let home: string;
let files: Paths;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-rules-'));
  files = pathsIn(home);
});
afterEach(async () => rm(home, { recursive: true, force: true }));

const wish = (network: string, words: RuleWords): RuleWish[] =>
  readNetworks(network).map((prefix) => ({ ...readRuleWish(words, NOW), prefix }));
const add = async (network: string, words: RuleWords, now = NOW) => keepRules(files, wish(network, words), now);

describe('access rules in the ledger', () => {
  test('are kept with all that was said, and mark the ledger as changed', async () => {
    const before = await guardGeneration(files);
    const words = {
      level: 'read-only',
      reason: 'because',
      for: '2h',
      window: ['Mon-Fri 09:00-17:00', 'sat 10:00-12:00'],
      zone: 'europe/berlin',
    };
    await add('2001:DB8::/32', { ...words, mode: 'observe' });
    const { rules } = await listAccess(files);
    expect(rules).toMatchObject([
      {
        id: 1,
        level: 'READ_ONLY',
        mode: 'observe',
        reason: 'because',
        zone: 'Europe/Berlin',
        until: NOW + 7_200_000,
        createdAt: NOW,
      },
    ]);
    expect(rules[0]?.windows).toHaveLength(2);
    expect(await guardGeneration(files)).not.toBe(before);
  });

  test('of the same network, level and windows are changed, not doubled', async () => {
    await add('192.0.2.0/24', { level: 'NONE' });
    expect((await add('192.0.2.0/24', { level: 'NONE' }, NOW + 1)).planned).toMatchObject([{ action: 'same', id: 1 }]);
    const again = await add('192.0.2.0/24', { level: 'NONE', until: '2027-02-01' }, NOW + 1);
    expect(again.planned).toMatchObject([{ action: 'change', id: 1, rule: { createdAt: NOW } }]);
    expect((await add('192.0.2.0/24', { level: 'STANDARD' })).planned).toMatchObject([{ action: 'add' }]);
    expect((await listAccess(files)).rules).toHaveLength(2);
  });

  test('are found and removed by number or network, and numbers are not used again', async () => {
    await add('192.0.2.0/24', { level: 'NONE' });
    await add('192.0.2.5-192.0.2.6', { level: 'STANDARD' });
    expect(await findRules(files, readNetworks('192.0.2.5-192.0.2.6'))).toHaveLength(2);
    await removeRules(files, [3]);
    await expect(findRules(files, 3)).rejects.toMatchObject({ code: 'RULE_UNKNOWN' });
    await add('192.0.2.9', { level: 'NONE' });
    expect((await listAccess(files)).rules.map(({ id }) => id)).toEqual([1, 2, 4]);
  });

  test('that ended are forgotten after a month', async () => {
    await add('192.0.2.0/24', { level: 'NONE', for: '1h' });
    await add('192.0.2.1', { level: 'NONE' }, NOW + 29 * DAY_MS);
    expect((await listAccess(files)).rules).toHaveLength(2);
    await add('192.0.2.2', { level: 'NONE' }, NOW + 31 * DAY_MS);
    expect((await listAccess(files)).rules.map(({ id }) => id)).toEqual([2, 3]);
  });

  test('are no more than fit, and then none of them is kept', async () => {
    const many = Array.from({ length: MOST_RULES }, (_, at) =>
      wish(`10.${at >> 8}.${at & 255}.0/24`, { level: 'NONE' }),
    ).flat();
    expect((await keepRules(files, many, NOW)).rules).toHaveLength(MOST_RULES);
    await expect(add('192.0.2.1-192.0.2.2', { level: 'NONE' })).rejects.toMatchObject({
      code: 'RULES_FULL',
      exit: EXIT.precondition,
    });
    expect((await listAccess(files)).rules).toHaveLength(MOST_RULES);
  });

  test('that are looked for where there are none make nothing', async () => {
    expect(await planRules(files, wish('192.0.2.1', { level: 'NONE' }), NOW)).toMatchObject([{ action: 'add' }]);
    expect(existsSync(files.ledgerFile)).toBe(false);
  });

  test.each<[RuleWords, RegExp]>([
    [{}, /level is needed/],
    [{ level: 'GOD' }, /no level/],
    [{ level: 'NONE', for: '0s' }, /--for/],
    [{ level: 'NONE', until: '2026-12-31' }, /--until/],
    [{ level: 'NONE', for: '1h', until: '2027-12-31' }, /the same/],
    [{ level: 'NONE', zone: 'UTC' }, /--window/],
    [{ level: 'NONE', window: ['mon 09:00-10:00'], zone: 'Mars/Base' }, /time zone/],
    [{ level: 'NONE', window: ['noon'] }, /no window/],
    [{ level: 'NONE', reason: 'two\nlines' }, /one line/],
    [{ level: 'NONE', mode: 'maybe' }, /no mode/],
  ])('%j cannot be', (words, problem) => {
    expect(() => readRuleWish(words, NOW)).toThrow(problem);
  });
});

describe('a file of rules', () => {
  test('comes back as it was written', async () => {
    await add('192.0.2.0/24', { level: 'NONE', reason: '=cmd, "quoted"', for: '2h' });
    await add('2001:db8::/32', {
      level: 'ADMIN',
      window: ['mon 09:00-10:00', 'sat,sun 22:00-06:00'],
      zone: 'Asia/Tokyo',
    });
    const file = path.join(home, 'rules.csv');
    expect(await exportRules(files, file)).toEqual({ rules: 2, file, text: null });
    const { wishes, faults } = await readRuleFile(file, {}, NOW);
    expect(faults).toEqual([]);
    expect((await keepRules(files, wishes, NOW)).planned.map(({ action }) => action)).toEqual(['same', 'same']);
    await expect(exportRules(files, file)).rejects.toMatchObject({ code: 'FILE_EEXIST' });
    // What has ended by then is not taken.
    expect((await readRuleFile(file, {}, NOW + DAY_MS)).wishes).toHaveLength(1);
  });

  test('with a network a line needs a level, and names the lines that are wrong', async () => {
    const file = path.join(home, 'list.txt');
    await writeFile(file, '# from the old server\n192.0.2.1\nnonsense\n192.0.2.4/30\n');
    await expect(readRuleFile(file, {}, NOW)).rejects.toThrow(/level/);
    const { wishes, faults } = await readRuleFile(file, { level: 'NONE' }, NOW);
    expect(wishes).toHaveLength(2);
    expect(faults).toEqual([{ line: 3, fault: '"nonsense" is no network' }]);
  });

  test('names the lines of a table that are wrong, and refuses unknown columns', async () => {
    const file = path.join(home, 'rules.csv');
    await writeFile(file, 'network,level\n192.0.2.1,NONE\n192.0.2.1/8,NONE\n192.0.2.2,WHAT\n,NONE\n');
    const { wishes, faults } = await readRuleFile(file, {}, NOW);
    expect(wishes).toHaveLength(1);
    expect(faults.map(({ line }) => line)).toEqual([3, 4, 5]);
    await writeFile(file, 'network,colour\n');
    await expect(readRuleFile(file, {}, NOW)).rejects.toMatchObject({ code: 'IMPORT_HEADER' });
    expect(await readFile(file, 'utf8')).toBe('network,colour\n');
  });
});

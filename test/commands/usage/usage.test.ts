import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import Usage from '../../../src/commands/usage/index.ts';
import UsageReset from '../../../src/commands/usage/reset.ts';
import UserList from '../../../src/commands/user/list.ts';
import UserShow from '../../../src/commands/user/show.ts';
import { EXIT } from '../../../src/lib/errors.ts';
import { withLedger } from '../../../src/lib/ledger/open.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { recordUsage } from '../../../src/lib/usage/record.ts';
import type { UsageJson } from '../../../src/lib/usage/report.ts';
import { addUser, removeUser } from '../../../src/lib/users/store.ts';
import { NO_LIMITS } from '../../../src/lib/users/user.ts';
import { pathsIn } from '../../support/files.ts';
import { run } from '../../support/run-command.ts';

const NOW = Date.UTC(2027, 2, 15, 12);
const DAY_MS = 86_400_000;
const GB = 2 ** 30;

let home: string;
let files: Paths;

beforeEach(async () => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] });
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-usage-'));
  files = pathsIn(home);
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(home, { recursive: true, force: true });
});

const at = (...argv: string[]): string[] => [...argv, '--home', home];

async function csv(...argv: string[]): Promise<string> {
  let printed = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  await run(Usage, at(...argv, '--csv')).finally(() => spy.mockRestore());
  return printed;
}

/** Bob with a quota, `@eve` and a removed user, who used something yesterday and 40 days ago. */
async function prepare(): Promise<Record<'bob' | 'eve' | 'sid', string>> {
  const quota = { bytes: 5 * GB, period: 'month', start: Date.UTC(2027, 0, 31) } as const;
  const users = [
    await addUser(files, { name: 'bob', limits: { ...NO_LIMITS, quota } }),
    await addUser(files, { name: '@eve' }),
    await addUser(files, { name: 'sid' }),
  ];
  const [bob = '', eve = '', sid = ''] = users.map(({ id }) => id);
  const counters = (times: number) =>
    [bob, eve, sid].map((id, index) => ({ id, up: times * (index + 1) * 1024, down: times * GB, lastSeen: 0 }));
  await withLedger(files.ledgerFile, async (ledger) => {
    await recordUsage(ledger, [{ epoch: 'a', at: NOW - 40 * DAY_MS, counters: counters(1) }]);
    await recordUsage(ledger, [{ epoch: 'a', at: NOW - DAY_MS, counters: counters(3) }]);
  });
  await removeUser(files, 'sid');
  return { bob, eve, sid };
}

describe('mtp usage', () => {
  test('shows everybody, what of a quota is used, who was removed, and all together', async () => {
    await prepare();
    const { stdout, result } = await run<UsageJson>(Usage, at());
    expect(stdout.split('\n')).toEqual([
      'USER           UP       DOWN    TOTAL   PERIOD               SEEN',
      'bob            3.0 KB   3.0 GB  3.0 GB  2.0 GB of 5GB/month  1d ago',
      '@eve           6.0 KB   3.0 GB  3.0 GB  3.0 GB               1d ago',
      '(removed) sid  9.0 KB   3.0 GB  3.0 GB  -                    -',
      'TOTAL          18.0 KB  9.0 GB  9.0 GB',
      'Up to 2027-03-14 12:00:00 UTC (1d ago); no proxy is running here.',
      '',
    ]);
    expect(result?.users[0]).toMatchObject({
      name: 'bob',
      removed: false,
      up: 3072,
      down: 3 * GB,
      lastSeenAt: '2027-03-14T12:00:00.000Z',
      period: {
        startedAt: '2027-02-28T00:00:00.000Z',
        used: 2 * GB + 2048,
        left: 3 * GB - 2048,
        nextAt: '2027-03-31T00:00:00.000Z',
      },
    });
    expect(result).toMatchObject({
      asOf: '2027-03-14T12:00:00.000Z',
      running: false,
      total: { up: 18 * 1024, down: 9 * GB },
    });
  });

  test('by the day and the month, of one user, within a range', async () => {
    await prepare();
    const lines = async (...argv: string[]) =>
      (await run<UsageJson>(Usage, at(...argv))).result?.spans.map(({ start, name, down }) => [start, name, down / GB]);
    expect(await lines('--by', 'month', '--user', 'BOB')).toEqual([
      ['2027-02-01', 'bob', 1],
      ['2027-03-01', 'bob', 2],
    ]);
    expect(await lines('--by', 'day', '--user', 'bob')).toEqual([['2027-03-14', 'bob', 2]]);
    expect(await lines('--by', 'day', '--until', '2027-02-28', '--user', 'sid')).toEqual([['2027-02-03', 'sid', 1]]);
    expect(await lines('--by', 'month', '--since', '2027-03-31', '--user', 'bob')).toEqual([['2027-03-01', 'bob', 2]]);
    const { result } = await run<UsageJson>(Usage, at('--since', '2027-02-03', '--until', '2027-02-03'));
    expect(result?.total.down).toBe(3 * GB);
    expect((await run<UsageJson>(Usage, at('--since', '2w'))).result?.total.down).toBe(6 * GB);
    expect((await run<UsageJson>(Usage, at('--since', '2025-01-01'))).result?.warnings).toEqual([
      'Days are kept for 400 days; what is older is known with --by month.',
    ]);
  });

  test('CSV has plain numbers, and no cell that a spreadsheet would run', async () => {
    const { bob, eve, sid } = await prepare();
    expect((await csv()).split('\n')).toEqual([
      'user,id,removed,up,down,total,period_from,period_used,quota,last_seen',
      `bob,${bob},no,3072,${3 * GB},${3 * GB + 3072},2027-02-28T00:00:00.000Z,${2 * GB + 2048},${5 * GB},2027-03-14T12:00:00.000Z`,
      expect.stringMatching(new RegExp(`^'@eve,${eve},no,6144,`)),
      `sid,${sid},yes,9216,${3 * GB},${3 * GB + 9216},,,,`,
      '',
    ]);
    expect((await csv('--by', 'month', '--user', 'bob')).split('\n')).toEqual([
      'from,user,id,removed,up,down,total',
      `2027-02-01,bob,${bob},no,1024,${GB},${GB + 1024}`,
      `2027-03-01,bob,${bob},no,2048,${2 * GB},${2 * GB + 2048}`,
      '',
    ]);
  });

  test.each([
    [['--since', 'soon'], EXIT.usage],
    [['--until', '2027-02-30'], EXIT.usage],
    [['--since', '2d', '--until', '9d'], EXIT.usage],
    [['--by', 'week'], EXIT.usage],
  ])('%j is refused', async (argv, exit) => {
    expect((await run(Usage, at(...argv))).error).toMatchObject({ exit });
    expect(await readdir(home)).toEqual([]);
  });

  test('nobody of that name is an error', async () => {
    await prepare();
    expect((await run(Usage, at('--user', 'zed'))).error).toMatchObject({ code: 'USER_UNKNOWN' });
  });
});

describe('mtp usage reset', () => {
  test('begins a period once it is said, and keeps what was counted', async () => {
    await prepare();
    expect((await run(UsageReset, at('bob'))).error).toMatchObject({ code: 'NEEDS_ANSWER', exit: EXIT.usage });
    const { stdout, result } = await run<{ after: object }>(UsageReset, at('bob', '--yes'));
    expect(stdout).toContain('A new period of bob has begun; 2.0 GB were used before. No proxy is running here;');
    expect(result?.after).toMatchObject({ startedAt: '2027-03-15T12:00:00.000Z', used: 0, left: 5 * GB });
    const { users = [] } = (await run<UsageJson>(Usage, at('--user', 'bob'))).result ?? {};
    expect(users[0]).toMatchObject({ down: 3 * GB, period: { used: 0 } });
    expect((await run(UsageReset, at('zed', '--yes'))).error).toMatchObject({ code: 'USER_UNKNOWN' });
  });
});

test('user list and show tell what was used', async () => {
  await prepare();
  expect((await run(UserList, at())).stdout).toMatch(/^bob +enabled +- +- +2\.0 GB +5GB\/month +- +2027-03-14$/m);
  const { stdout } = await run(UserShow, at('bob'));
  expect(stdout).toMatch(/^Used +3\.0 KB up, 3\.0 GB down$/m);
  expect(stdout).toMatch(/^Period +2\.0 GB of 5GB\/month since 2027-02-28; the next from 2027-03-31$/m);
});

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Ledger, withLedger } from '../../../src/lib/ledger/open.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { forgetMarks, forgetUsage } from '../../../src/lib/usage/forget.ts';
import { readQuotas } from '../../../src/lib/usage/quota.ts';
import { findUsage, listUsage, readSpans, readUsage, readUsageTime } from '../../../src/lib/usage/read.ts';
import { type Counter, recordUsage } from '../../../src/lib/usage/record.ts';
import { resetUsage } from '../../../src/lib/usage/reset.ts';
import { addUser, removeUser, setUser } from '../../../src/lib/users/store.ts';
import { NO_LIMITS, type Quota, type User } from '../../../src/lib/users/user.ts';
import { pathsIn } from '../../support/files.ts';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2027, 2, 15, 12, 30);
const ANY = { since: null, until: null };

let home: string;
let files: Paths;
let bob: User;

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-usage-'));
  files = pathsIn(home);
  bob = await addUser(files, { name: 'bob' });
});
afterEach(async () => rm(home, { recursive: true, force: true }));

const inLedger = async <Result>(action: (ledger: Ledger) => Promise<Result>): Promise<Result> =>
  withLedger(files.ledgerFile, action);
const counter = (id: string, up: number, down: number, lastSeen = 0): Counter => ({ id, up, down, lastSeen });
const record = async (epoch: string, counters: Counter[], at = NOW) =>
  inLedger(async (ledger) => recordUsage(ledger, [{ epoch, at, counters }]));
const used = async (name = 'bob') => {
  const { used: bytes, period } = await findUsage(files, name, NOW);
  return { ...bytes, period: (period?.up ?? 0) + (period?.down ?? 0) };
};
const quota = async (wanted: Quota | null, name = 'bob') =>
  setUser(files, name, ({ limits }) => ({ limits: { ...limits, quota: wanted } }));

describe('a quota that is set after bytes were moved', () => {
  const set = async (wanted: Quota) =>
    setUser(files, 'bob', ({ limits }) => ({ limits: { ...limits, quota: wanted } }), { now: () => new Date(NOW) });
  const counted = async (): Promise<number> => (await used()).period;
  const from = (start: number): Quota => ({ bytes: 1000, period: 'month', start });

  beforeEach(async () => {
    // Long before, in the month before, in this period, and within the hour in which the quota is set.
    await inLedger(async (ledger) =>
      ledger
        .updateTable('users')
        .set({ created_at: NOW - 400 * DAY_MS })
        .execute(),
    );
    let all = 0;
    for (const [days, bytes] of [
      [300, 1],
      [20, 2],
      [10, 4],
      [1, 8],
      [0, 16],
    ] as const) {
      all += bytes;
      await record('a', [counter(bob.id, 0, all)], NOW - days * DAY_MS);
    }
  });

  test('counts none of it where its period begins at that moment', async () => {
    await set(from(NOW));
    expect(await counted()).toBe(0);
  });

  test('counts what was moved since the period began, and what comes after, once', async () => {
    await set(from(Date.UTC(2027, 2, 1)));
    expect(await counted()).toBe(4 + 8 + 16);
    await record('a', [counter(bob.id, 0, 31 + 32)]);
    expect(await counted()).toBe(4 + 8 + 16 + 32);
    await set({ ...from(Date.UTC(2027, 2, 1)), bytes: 2000 });
    expect(await counted()).toBe(4 + 8 + 16 + 32);
    expect((await used()).down).toBe(63);
  });

  test('counts by months, days and whole hours, where the period begins in the middle of one', async () => {
    await set({ bytes: 1000, period: 'total', start: NOW - 10 * DAY_MS - 3600_000 });
    expect(await counted()).toBe(4 + 8 + 16);
    await set({ bytes: 1000, period: 'total', start: NOW - 30 * DAY_MS });
    expect(await counted(), 'begun anew, and earlier').toBe(2 + 4 + 8 + 16);
  });

  test('does not bring back what was reset', async () => {
    await resetUsage(files, 'bob', NOW);
    await set(from(Date.UTC(2027, 2, 1)));
    expect(await counted()).toBe(0);
    await set({ bytes: 1000, period: 'total', start: NOW - 30 * DAY_MS });
    expect(await counted()).toBe(0);
  });
});

describe('what is counted', () => {
  test('counters add what they grew by, once, by the hour, the day and the month', async () => {
    await record('a', [counter(bob.id, 10, 20)]);
    await record('a', [counter(bob.id, 10, 20)]);
    await record('a', [counter(bob.id, 11, 25)], NOW + 3600_000);
    await record('a', [counter(bob.id, 12, 25)], NOW + 40 * DAY_MS);
    expect(await used()).toEqual({ up: 12, down: 25, period: 37 });
    const spans = async (span: 'hour' | 'day' | 'month') =>
      (await inLedger(async (ledger) => readSpans(ledger, span, ANY))).map(({ start, used: { up, down } }) => [
        new Date(start).toISOString().slice(0, 13),
        up,
        down,
      ]);
    expect(await spans('hour')).toEqual([
      ['2027-03-15T12', 10, 20],
      ['2027-03-15T13', 1, 5],
      ['2027-04-24T12', 1, 0],
    ]);
    expect(await spans('day')).toEqual([
      ['2027-03-15T00', 11, 25],
      ['2027-04-24T00', 1, 0],
    ]);
    expect(await spans('month')).toEqual([
      ['2027-03-01T00', 11, 25],
      ['2027-04-01T00', 1, 0],
    ]);
    expect(await inLedger(readUsageTime)).toBe(NOW + 40 * DAY_MS);
  });

  test('another engine begins at nothing, and the old one goes on where it was', async () => {
    await record('a', [counter(bob.id, 10, 0)]);
    await record('b', [counter(bob.id, 3, 0)]);
    await record('a', [counter(bob.id, 12, 0)]);
    expect(await used()).toMatchObject({ up: 15 });
  });

  test('a counter that shrank in its epoch is told of, and writes nothing', async () => {
    await record('a', [counter(bob.id, 10, 10, 1)]);
    const eve = await addUser(files, { name: 'eve' });
    expect(await record('a', [counter(bob.id, 9, 30, 2), counter(eve.id, 1, 1)])).toEqual([{ epoch: 'a', id: bob.id }]);
    expect(await used()).toEqual({ up: 10, down: 10, period: 20 });
    expect(await used('eve')).toMatchObject({ up: 1 });
    await record('a', [counter(bob.id, 10, 31)]);
    expect(await used()).toMatchObject({ up: 10, down: 31 });
  });

  test('whatever order answers of several engines come in, the total is the sum of their last', async () => {
    const growth = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(1000), fc.nat(1000)), { maxLength: 12 });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(growth, async (steps) => {
        const name = `u${round++}`;
        const { id } = await addUser(files, { name });
        const counters = new Map<string, Counter>();
        await inLedger(async (ledger) => {
          for (const [engine, up, down] of steps) {
            const before = counters.get(engine) ?? counter(id, 0, 0);
            counters.set(engine, counter(id, before.up + up, before.down + down));
            const samples = [...counters].map(([epoch, one]) => ({
              epoch: `${name}${epoch}`,
              at: NOW,
              counters: [one],
            }));
            await recordUsage(ledger, samples);
          }
        });
        const sum = (of: 'up' | 'down') => [...counters.values()].reduce((total, one) => total + one[of], 0);
        const expected = { up: sum('up'), down: sum('down'), period: sum('up') + sum('down') };
        expect(await used(name)).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  });

  test('users and secrets are seen when they connected, or when bytes were moved', async () => {
    const [secret] = bob.secrets;
    const seen = async () => {
      const { user } = await findUsage(files, 'bob', NOW);
      return [user.lastSeenAt, user.secrets[0]?.lastSeenAt];
    };
    const seconds = NOW / 1000;
    await record('a', [counter(bob.id, 0, 0, seconds - 60), counter(secret?.id ?? '', 0, 0, seconds - 60)]);
    expect(await seen()).toEqual([NOW - 60_000, NOW - 60_000]);
    await record('a', [counter(bob.id, 5, 0, seconds - 60), counter(secret?.id ?? '', 5, 0, seconds - 60)]);
    expect(await seen()).toEqual([NOW, NOW]);
    await record('b', [counter(bob.id, 0, 0, seconds - 90)]);
    expect(await seen()).toEqual([NOW, NOW]);
    // What a secret moved is its user's, and counted there.
    expect(await used()).toEqual({ up: 5, down: 0, period: 5 });
  });
});

describe('a removed user', () => {
  test('stays known by the name they had; another of that name has figures of their own', async () => {
    await record('a', [counter(bob.id, 10, 0)]);
    await removeUser(files, 'bob');
    await record('a', [counter(bob.id, 14, 0)]);
    const next = await addUser(files, { name: 'bob' });
    await record('a', [counter(next.id, 1, 0)]);
    expect(await used()).toMatchObject({ up: 1 });
    const all = await inLedger(async (ledger) => readUsage(ledger, ANY, NOW));
    expect(all.map(({ name, removed, used: { up } }) => [name, removed, up])).toEqual([
      ['bob', false, 1],
      ['bob', true, 14],
    ]);
    expect((await listUsage(files, NOW)).map(({ id }) => id)).toEqual([next.id]);
    const named = await inLedger(async (ledger) => readSpans(ledger, 'month', ANY, 'BOB'));
    expect(named.map(({ id }) => id).toSorted()).toEqual([bob.id, next.id].toSorted());
  });

  test('who used nothing is not told of, and who never was is an error', async () => {
    await removeUser(files, 'bob');
    expect(await inLedger(async (ledger) => readUsage(ledger, ANY, NOW))).toEqual([]);
    await expect(inLedger(async (ledger) => readUsage(ledger, ANY, NOW, 'zed'))).rejects.toThrow('no user named');
  });
});

describe('quotas', () => {
  const left = async (now: number) =>
    (await inLedger(async (ledger) => readQuotas(ledger, now))).map((one) => one.left);

  test('a period begins at its boundary, and what was used before does not count', async () => {
    await record('a', [counter(bob.id, 500, 0)], NOW - DAY_MS);
    await quota({ bytes: 1000, period: 'day', start: NOW });
    expect(await left(NOW)).toEqual([1000]);
    await record('a', [counter(bob.id, 800, 400)], NOW + 1);
    expect(await left(NOW + 2)).toEqual([300]);
    await record('a', [counter(bob.id, 1800, 400)], NOW + DAY_MS - 1);
    expect(await left(NOW + DAY_MS - 1)).toEqual([0]);
    expect(await left(NOW + DAY_MS)).toEqual([1000]);
    await record('a', [counter(bob.id, 1900, 400)], NOW + DAY_MS);
    expect(await left(NOW + DAY_MS)).toEqual([900]);
    expect(await inLedger(async (ledger) => ledger.selectFrom('usage_periods').select('up').execute())).toHaveLength(3);
    expect((await used()).up).toBe(1900);
  });

  test('another amount for the same period counts what was used', async () => {
    await quota({ bytes: 1000, period: 'month', start: NOW });
    await record('a', [counter(bob.id, 800, 0)], NOW + 1);
    await quota({ bytes: 900, period: 'month', start: NOW });
    expect(await left(NOW + 2)).toEqual([100]);
    await quota(null);
    expect(await left(NOW + 2)).toEqual([]);
  });

  test('a reset begins a new row and takes nothing away', async () => {
    await quota({ bytes: 1000, period: 'total', start: NOW });
    await record('a', [counter(bob.id, 800, 0)], NOW + 1);
    const { before, after } = await resetUsage(files, 'BOB', NOW + 2);
    expect([before.up, after]).toEqual([800, { startedAt: NOW + 2, up: 0, down: 0 }]);
    expect(await left(NOW + 3)).toEqual([1000]);
    // Also where the clock has gone back since.
    await record('a', [counter(bob.id, 900, 0)], NOW);
    expect(await left(NOW + 3)).toEqual([900]);
    await resetUsage(files, 'bob', NOW - 5);
    expect(await left(NOW + 3)).toEqual([1000]);
    expect((await used()).up).toBe(900);
    await expect(resetUsage(files, 'zed', NOW)).rejects.toThrow('no user named');
  });
});

describe('what is forgotten', () => {
  test('hours after 14 days, days after 400, months never; of periods the newest stays', async () => {
    await record('a', [counter(bob.id, 1, 0)], NOW - 500 * DAY_MS);
    await record('a', [counter(bob.id, 2, 0)], NOW - 300 * DAY_MS);
    await record('a', [counter(bob.id, 3, 0)]);
    const eve = await addUser(files, { name: 'eve' });
    const periods = [
      { user_id: eve.id, started_at: NOW - 450 * DAY_MS, up: 1, down: 0 },
      { user_id: eve.id, started_at: NOW - 420 * DAY_MS, up: 2, down: 0 },
    ];
    await inLedger(async (ledger) => {
      await ledger.insertInto('usage_periods').values(periods).execute();
      await forgetUsage(ledger, NOW);
      const count = async (span: 'hour' | 'day' | 'month') => (await readSpans(ledger, span, ANY, 'bob')).length;
      expect([await count('hour'), await count('day'), await count('month')]).toEqual([1, 2, 3]);
    });
    expect(await used()).toMatchObject({ up: 3 });
    expect(await used('eve')).toMatchObject({ period: 2 });
  });

  test('marks of engines that are gone', async () => {
    await record('a', [counter(bob.id, 1, 0)]);
    await record('b', [counter(bob.id, 1, 0)]);
    const epochs = async () =>
      inLedger(async (ledger) =>
        (await ledger.selectFrom('usage_marks').select('epoch').execute()).map(({ epoch }) => epoch),
      );
    await inLedger(async (ledger) => forgetMarks(ledger, ['b']));
    expect(await epochs()).toEqual(['b']);
    await inLedger(async (ledger) => forgetMarks(ledger, []));
    expect(await epochs()).toEqual([]);
  });
});

test('a change of a user holds though they are seen in between', async () => {
  await record('a', [counter(bob.id, 5, 0, NOW / 1000)]);
  const { user } = await setUser(files, 'bob', () => ({ limits: { ...NO_LIMITS, networks: 1 } }));
  expect(user.lastSeenAt).toBe(NOW);
});

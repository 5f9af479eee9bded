import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FeedKeeper } from '../../../src/daemon/jobs/feeds.ts';
import { keepCountries } from '../../../src/lib/access/countries.ts';
import { readFeedWish } from '../../../src/lib/access/feed-wish.ts';
import { addFeed, tryFeed } from '../../../src/lib/access/feeds.ts';
import { listAccess } from '../../../src/lib/access/load.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { pathsIn } from '../../support/files.ts';
import { countryDatabase } from '../../support/mmdb.ts';

const HOUR_MS = 3_600_000;

let home: string;
let files: Paths;
let list: string;
let now: number;
let reloads: number;
let events: string[];
let keeper: FeedKeeper;

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-feed-job-'));
  files = pathsIn(path.join(home, 'mtp'));
  list = path.join(home, 'list.txt');
  [now, reloads, events] = [Date.UTC(2027, 0, 15), 0, []];
  keeper = new FeedKeeper({
    files,
    sources: { edges: { timeoutMs: 1000 }, now: () => now },
    changed: async () => reloads++,
    log: (level, event) => void events.push(`${level} ${event}`),
  });
});
afterEach(async () => rm(home, { recursive: true, force: true }));

async function add(refreshMs: number | null): Promise<void> {
  await writeFile(list, '192.0.2.1\n192.0.2.3\n');
  const wish = readFeedWish({ name: 'bad', source: list, level: 'NONE', mode: 'enforce', refreshMs, pin: null });
  const sources = { edges: { timeoutMs: 1000 }, now: () => now };
  await addFeed(files, wish, await tryFeed(files, wish, false, sources), sources);
}
const checkedAt = async (): Promise<number | null | undefined> => (await listAccess(files)).feeds[0]?.checkedAt;

test('a feed is read again when its interval is over, and a change is told', async () => {
  await add(6 * HOUR_MS);
  await writeFile(list, '192.0.2.1\n192.0.2.5\n');
  now += 6 * HOUR_MS - 1;
  await keeper.run();
  expect(reloads).toBe(0);
  now += 1;
  await keeper.run();
  expect([reloads, events, await checkedAt()]).toEqual([1, ['info feed_refreshed'], now]);
  now += 6 * HOUR_MS;
  await keeper.run();
  expect([reloads, await checkedAt()]).toEqual([1, now]);
});

test('a feed that failed is tried again sooner, and what was good stays in force', async () => {
  await add(6 * HOUR_MS);
  await rm(list);
  now += 6 * HOUR_MS;
  await keeper.run();
  expect([reloads, events]).toEqual([0, ['warn feed_failed']]);
  expect((await listAccess(files)).feeds[0]).toMatchObject({
    networks: 2,
    failure: expect.stringContaining('no such file') as string,
  });
  await writeFile(list, '192.0.2.7\n192.0.2.9\n');
  now += HOUR_MS / 2;
  await keeper.run();
  expect([reloads, (await listAccess(files)).feeds[0]?.failure]).toEqual([1, null]);
});

test('a feed without an interval is left to its operator', async () => {
  await add(null);
  const before = await checkedAt();
  now += 1000 * HOUR_MS;
  await keeper.run();
  expect(await checkedAt()).toBe(before);
});

test('a database of countries that was replaced is noticed once; one that is away changes nothing', async () => {
  const database = path.join(home, 'countries.mmdb');
  await writeFile(database, countryDatabase({ '192.0.2.0/24': 'DE' }));
  const policy = {
    kind: 'block',
    countries: ['DE'],
    unknown: 'allow',
    mode: 'enforce',
    database,
    changedAt: now,
  } as const;
  await keepCountries(files, { ...policy, countries: ['DE'] });
  await keeper.run();
  await keeper.run();
  expect(reloads).toBe(0);
  await rm(database);
  await keeper.run();
  expect(reloads).toBe(0);
  await writeFile(database, countryDatabase({ '192.0.2.0/24': 'DE', '198.51.100.0/24': 'DE' }));
  await keeper.run();
  await keeper.run();
  expect(reloads).toBe(1);
});

import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MOST_BYTES } from '../../../src/lib/access/feed-fetch.ts';
import { type FeedWish, readFeedWish, readRefresh } from '../../../src/lib/access/feed-wish.ts';
import {
  addFeed,
  type FeedSources,
  type Refreshed,
  refreshFeed,
  removeFeed,
  tryFeed,
} from '../../../src/lib/access/feeds.ts';
import { listAccess, loadAccess } from '../../../src/lib/access/load.ts';
import { formatPrefix } from '../../../src/lib/access/prefix.ts';
import { MOST_NETWORKS } from '../../../src/lib/access/rule.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { sha256 } from '../../../src/lib/system/hash.ts';
import { guardGeneration } from '../../support/rules.ts';
import { pathsIn } from '../../support/files.ts';
import { listServer, type ListServer } from '../../support/list-server.ts';

let home: string;
let files: Paths;
let server: ListServer;
let now: number;
let sources: FeedSources;

beforeAll(async () => {
  server = await listServer();
});
afterAll(async () => server.close());
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-feeds-'));
  files = pathsIn(path.join(home, 'mtp'));
  now = Date.UTC(2027, 0, 15);
  sources = { edges: { timeoutMs: 3000, ca: server.ca }, now: () => now };
  says('192.0.2.0/24\n198.51.100.0/24\n');
  server.asked.splice(0);
});
afterEach(async () => rm(home, { recursive: true, force: true }));

function addresses(count: number): string {
  return Array.from({ length: count }, (_, at) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}\n`).join('');
}
const twenty = addresses(20);
function says(text: string, headers: Record<string, string> = {}): void {
  server.answer = (_, response) => response.writeHead(200, { 'content-type': 'text/plain', ...headers }).end(text);
}
const wish = (rest: Partial<FeedWish> = {}): FeedWish =>
  readFeedWish({
    name: 'bad',
    source: server.url,
    level: 'NONE',
    mode: 'enforce',
    refreshMs: 3_600_000,
    pin: null,
    ...rest,
  });
const add = async (rest: Partial<FeedWish> = {}, confirmed = false): Promise<void> => {
  await addFeed(files, wish(rest), await tryFeed(files, wish(rest), confirmed, sources), sources);
};
const refresh = async (confirmed = false): Promise<Refreshed> => refreshFeed(files, 'bad', confirmed, sources);
const networks = async (): Promise<string[]> =>
  (await loadAccess(files)).feeds.flatMap(({ prefixes }) => prefixes.map(formatPrefix));
const kept = async (): Promise<string[]> => (await readdir(files.state)).filter((name) => name.startsWith('feed-'));

describe('a feed', () => {
  test('from the web is kept with its hash, in a file that nobody else can read', async () => {
    await add();
    expect(await networks()).toEqual(['192.0.2.0/24', '198.51.100.0/24']);
    const [feed] = (await listAccess(files)).feeds;
    expect(feed).toMatchObject({
      networks: 2,
      sha256: sha256('192.0.2.0/24\n198.51.100.0/24\n'),
      fetchedAt: now,
      failure: null,
    });
    const [name = ''] = await kept();
    expect((await stat(path.join(files.state, name))).mode & 0o777).toBe(0o600);
  });

  test('from a file is read again from where it was', async () => {
    const list = path.join(home, 'list.txt');
    await writeFile(list, '192.0.2.1\n');
    await add({ source: path.relative(process.cwd(), list) });
    expect((await listAccess(files)).feeds[0]?.source).toBe(list);
    await writeFile(list, '192.0.2.1\n192.0.2.2\n');
    expect(await refresh()).toMatchObject({ state: 'changed', before: 1, feed: { networks: 2 } });
    await rm(list);
    expect(await refresh()).toMatchObject({ state: 'failed' });
    expect(await networks()).toEqual(['192.0.2.1', '192.0.2.2']);
  });

  test('from what is no plain file is not read', async () => {
    await expect(tryFeed(files, wish({ source: '/dev/zero' }), false, sources)).rejects.toMatchObject({
      code: 'FEED_NO_FILE',
    });
  });

  test('that changed comes into force, and what was before is gone', async () => {
    await add();
    const [before, generation] = [await kept(), await guardGeneration(files)];
    says('203.0.113.0/24\n2001:db8::/32\n');
    now += 1000;
    expect(await refresh()).toMatchObject({ state: 'changed', before: 2, feed: { fetchedAt: now, checkedAt: now } });
    expect(await networks()).toEqual(['203.0.113.0/24', '2001:db8::/32']);
    expect(await kept()).toHaveLength(1);
    expect(await kept()).not.toEqual(before);
    expect(await guardGeneration(files)).not.toBe(generation);
  });

  test('that did not change is asked for by its marks, and changes nothing', async () => {
    says('192.0.2.0/24\n', { etag: '"1"', 'last-modified': 'Fri, 15 Jan 2027 00:00:00 GMT' });
    await add();
    const generation = await guardGeneration(files);
    server.answer = (_, response) => response.writeHead(304).end();
    now += 1000;
    expect(await refresh()).toMatchObject({ state: 'unchanged', feed: { checkedAt: now, fetchedAt: now - 1000 } });
    expect(server.asked.at(-1)?.headers).toMatchObject({
      'if-none-match': '"1"',
      'if-modified-since': 'Fri, 15 Jan 2027 00:00:00 GMT',
    });
    expect(await guardGeneration(files)).toBe(generation);
  });

  test('whose file is gone is asked for anew, and until then left out with a warning', async () => {
    says('192.0.2.0/24\n', { etag: '"1"' });
    await add();
    const [name = ''] = await kept();
    await rm(path.join(files.state, name));
    const { feeds, warnings } = await loadAccess(files);
    expect([feeds, warnings.length]).toEqual([[], 1]);
    expect(await refresh()).toMatchObject({ state: 'changed' });
    expect(server.asked.at(-1)?.headers['if-none-match']).toBeUndefined();
    expect(await networks()).toEqual(['192.0.2.0/24']);
  });

  test('whose file was changed by another hand is not believed', async () => {
    await add();
    const [name = ''] = await kept();
    await writeFile(path.join(files.state, name), '0.0.0.0/0\n');
    expect((await loadAccess(files)).warnings.join()).toMatch(/SHA-256/);
  });

  test.each<[string, () => void, RegExp]>([
    ['is a web page', () => says('<!DOCTYPE html><p>192.0.2.1'), /web page/],
    ['says that it is one', () => says('192.0.2.1', { 'content-type': 'text/html; charset=utf-8' }), /web page/],
    ['is something else', () => says('some\nother\ntext\n192.0.2.1\n'), /no list of networks: 3 of 4/],
    ['is empty', () => says('# nothing\n'), /names no network/],
    ['has shrunk', () => says('192.0.2.0/24\n'.repeat(5)), /had 20/],
    ['keeps everybody out', () => says(`0.0.0.0/1\n${twenty}`), /0\.0\.0\.0\/1/],
    ['is not there', () => (server.answer = (_, response) => response.writeHead(404).end(twenty)), /status 404/],
    [
      'leads to http',
      () => (server.answer = (_, response) => response.writeHead(302, { location: 'http://127.0.0.1/' }).end()),
      /without https/,
    ],
    [
      'leads nowhere',
      () => (server.answer = (_, response) => response.writeHead(302, { location: server.url }).end()),
      /leads on more than 3/,
    ],
    [
      'ends in the middle',
      () => (server.answer = (_, response) => void response.writeHead(200, { 'content-length': '9999' }).end(twenty)),
      /.+/,
    ],
    ['is too large', () => says(twenty.padEnd(MOST_BYTES + 1, '#')), /more than 16 MB/],
    ['is longer than there is room', () => says(addresses(MOST_NETWORKS + 1)), /room for 100000/],
  ])('that %s is refused, and what was good stays', async (_, change, reason) => {
    says(twenty);
    await add();
    const [before, generation] = [await networks(), await guardGeneration(files)];
    change();
    const { state, feed } = await refresh();
    expect(state).toBe('failed');
    expect(feed.failure).toMatch(reason);
    expect(feed.networks).toBe(20);
    expect(await networks()).toEqual(before);
    expect(await guardGeneration(files)).toBe(generation);
  });

  test('that has shrunk is taken when its operator says so, and the fault is over', async () => {
    says(twenty);
    await add();
    says('192.0.2.0/24\n');
    expect((await refresh()).feed.failure).not.toBeNull();
    expect(await refresh(true)).toMatchObject({ state: 'changed', feed: { networks: 1, failure: null } });
  });

  test('with a pin is only what has that hash', async () => {
    says(twenty);
    await expect(add({ pin: sha256('other') })).rejects.toMatchObject({ code: 'FEED_PIN' });
    await add({ pin: sha256(twenty) });
    says(`${twenty}203.0.113.0/24\n`);
    expect((await refresh()).feed.failure).toMatch(/is pinned/);
    expect(await networks()).toHaveLength(20);
  });

  test('of a server whose certificate is not trusted is not taken', async () => {
    await expect(tryFeed(files, wish(), false, { ...sources, edges: { timeoutMs: 3000 } })).rejects.toMatchObject({
      code: 'FEED_UNREACHABLE',
    });
    expect(server.asked).toEqual([]);
  });

  test('of a server that says nothing is given up in time', async () => {
    server.answer = () => undefined;
    const edges = { timeoutMs: 200, ca: server.ca };
    await expect(tryFeed(files, wish(), false, { ...sources, edges })).rejects.toThrow(/no answer within 0\.2 s/);
  });

  test('is removed with its file; a name is there once', async () => {
    await add();
    await expect(add()).rejects.toMatchObject({ code: 'FEED_EXISTS' });
    await removeFeed(files, 'bad');
    expect([await networks(), await kept()]).toEqual([[], []]);
    await expect(refresh()).rejects.toMatchObject({ code: 'FEED_UNKNOWN' });
  });

  test.each<[Partial<FeedWish>, RegExp]>([
    [{ name: 'Bad' }, /cannot be called/],
    [{ name: '../x' }, /cannot be called/],
    [{ source: 'http://127.0.0.1/list' }, /not fetched/],
    [{ source: 'ftp://127.0.0.1/list' }, /not fetched/],
    [{ source: 'https://me:secret@127.0.0.1/list' }, /password/],
    [{ pin: 'abc' }, /no SHA-256/],
  ])('%j cannot be', (rest, problem) => {
    expect(() => wish(rest)).toThrow(problem);
  });

  test('is read again at an interval, or when it is said', () => {
    expect([readRefresh('24h'), readRefresh('none')]).toEqual([86_400_000, null]);
    for (const text of ['1m', '0', 'often']) expect(() => readRefresh(text)).toThrow(/--refresh/);
  });

  test('that is the same is not read again', async () => {
    await add();
    const first = await loadAccess(files);
    const second = await loadAccess(files, first);
    expect(second.feeds[0]?.prefixes).toBe(first.feeds[0]?.prefixes);
  });
});

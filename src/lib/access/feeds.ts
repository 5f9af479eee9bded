import path from 'node:path';
import { EXIT, MtpError } from '../errors.ts';
import { changeGuard } from '../guard/store.ts';
import { countInLedger, type Ledger } from '../ledger/open.ts';
import { withLock } from '../system/lock.ts';
import { withUsers } from '../users/with-users.ts';
import { FETCH, type FetchEdges, fetchFeed } from './feed-fetch.ts';
import { keepFeed, readFeed, removeOldFeeds } from './feed-file.ts';
import { type Judged, judgeFeed } from './feed-judge.ts';
import type { FeedWish } from './feed-wish.ts';
import { type AccessFiles, listAccess, selectFeeds } from './load.ts';
import type { Prefix } from './prefix.ts';
import { type Feed, MOST_FEEDS, MOST_NETWORKS } from './rule.ts';

export interface FeedSources {
  edges: FetchEdges;
  /** Unix time in ms. */
  now: () => number;
}

export const SYSTEM_FEEDS: FeedSources = { edges: FETCH, now: Date.now };

/** What became of looking at a feed. */
export interface Refreshed {
  feed: Feed;
  /** `unchanged`: what is in force is what its source says. */
  state: 'changed' | 'unchanged' | 'failed';
  /** Networks before; null where there were none yet. */
  before: number | null;
  /** Lines of it that name no network. */
  wrong: number;
}

/** Fetch a feed that is not kept yet and judge it. */
export async function tryFeed(
  files: AccessFiles,
  wish: FeedWish,
  confirmed: boolean,
  { edges }: FeedSources = SYSTEM_FEEDS,
): Promise<Tried> {
  const { feeds } = await listAccess(files);
  refuseFeed(feeds, wish.name);
  const fetched = await fetchFeed(wish.source, { etag: null, lastModified: null }, edges);
  if (fetched === null) throw new MtpError('FEED_UNREACHABLE', `${wish.source} says nothing`, { exit: EXIT.temporary });
  const measure = { ...wish, before: null, room: roomIn(feeds, wish.name), confirmed };
  return { ...fetched, ...judgeFeed(fetched.content, fetched.type, measure) };
}

export interface Tried extends Judged {
  content: Buffer;
  etag: string | null;
  lastModified: string | null;
}

/** Keep a feed that was tried, and read it back. */
export async function addFeed(
  files: AccessFiles,
  wish: FeedWish,
  tried: Tried,
  { now }: Pick<FeedSources, 'now'> = SYSTEM_FEEDS,
): Promise<Feed> {
  const at = now();
  return withUsers(files, async (ledger) =>
    withLock(lockOf(files), async () => {
      await keepFeed(files.state, wish.name, tried.content);
      await changeGuard(ledger, async (change) => {
        refuseFeed(await selectFeeds(change), wish.name);
        const { name, source, level, mode, refreshMs, pin } = wish;
        const row = { name, source, level, mode, refresh_ms: refreshMs, pin, created_at: at };
        await change
          .insertInto('access_feeds')
          .values({ ...row, ...goodRow(tried, at) })
          .execute();
      });
      return proveKept(ledger, files, wish.name, tried);
    }),
  );
}

/** Look at the source of a feed again. What is good comes into force; what is not is noted, and what was in force stays. */
export async function refreshFeed(
  files: AccessFiles,
  name: string,
  confirmed: boolean,
  { edges, now }: FeedSources = SYSTEM_FEEDS,
): Promise<Refreshed> {
  return withUsers(files, async (ledger) => {
    const feeds = await selectFeeds(ledger);
    const feed = requireFeed(feeds, name);
    const before = feed.sha256 === null ? null : feed.networks;
    const outcome = async (state: Refreshed['state'], wrong = 0): Promise<Refreshed> => ({
      feed: requireFeed(await selectFeeds(ledger), name),
      state,
      before,
      wrong,
    });
    try {
      const isWhole = feed.sha256 !== null && (await isKept(files, feed));
      const fetched = await fetchFeed(feed.source, await knownOf(ledger, name, isWhole), edges);
      const tried = fetched && {
        ...fetched,
        ...judgeFeed(fetched.content, fetched.type, { ...feed, before, room: roomIn(feeds, name), confirmed }),
      };
      if (tried === null || (isWhole && tried.sha256 === feed.sha256)) {
        await note(ledger, name, { checked_at: now(), failure: null });
        return await outcome('unchanged', tried?.list.wrong);
      }
      await withLock(lockOf(files), async () => {
        // It may have been removed meanwhile.
        requireFeed(await selectFeeds(ledger), name);
        await keepFeed(files.state, name, tried.content);
        await changeGuard(ledger, async (change) => {
          await change.updateTable('access_feeds').set(goodRow(tried, now())).where('name', '=', name).execute();
        });
        await proveKept(ledger, files, name, tried);
      });
      return await outcome('changed', tried.list.wrong);
    } catch (error) {
      if (!(error instanceof MtpError)) throw error;
      await note(ledger, name, { checked_at: now(), failure: error.message });
      return outcome('failed');
    }
  });
}

/** The same for one feed, or with no name for all, one after another. */
export async function refreshFeeds(
  files: AccessFiles,
  name: string | undefined,
  confirmed: boolean,
): Promise<Refreshed[]> {
  const { feeds } = await listAccess(files);
  const wanted = name === undefined ? feeds : [requireFeed(feeds, name)];
  const refreshed: Refreshed[] = [];
  for (const feed of wanted) refreshed.push(await refreshFeed(files, feed.name, confirmed));
  return refreshed;
}

/** Remove a feed with all that it said. */
export async function removeFeed(files: AccessFiles, name: string): Promise<void> {
  await withUsers(files, async (ledger) =>
    withLock(lockOf(files), async () => {
      await changeGuard(ledger, async (change) => {
        await change.deleteFrom('access_feeds').where('name', '=', name).execute();
      });
      await removeOldFeeds(files.state, name, null);
    }),
  );
}

export function requireFeed(feeds: Feed[], name: string): Feed {
  const feed = feeds.find((one) => one.name === name);
  if (feed !== undefined) return feed;
  const names = feeds.map((one) => one.name).join(', ');
  throw new MtpError('FEED_UNKNOWN', `there is no feed named ${JSON.stringify(name.slice(0, 40))}`, {
    hint: names === '' ? 'There are none yet; add one with: mtp access feed add --help' : `There is ${names}.`,
  });
}

function refuseFeed(feeds: Feed[], name: string): void {
  if (feeds.some((feed) => feed.name === name)) {
    throw new MtpError('FEED_EXISTS', `there is already a feed named ${name}`, {
      exit: EXIT.precondition,
      hint: `Choose another name, or remove that one first: mtp access feed remove ${name}`,
    });
  }
  if (feeds.length < MOST_FEEDS) return;
  throw new MtpError('FEEDS_FULL', `there may be ${MOST_FEEDS} feeds`, {
    exit: EXIT.precondition,
    hint: 'Remove one first.',
  });
}

function roomIn(feeds: Feed[], name: string): number {
  return MOST_NETWORKS - feeds.reduce((sum, feed) => sum + (feed.name === name ? 0 : feed.networks), 0);
}

/** What its server is asked by; nothing where what it said is gone, so that it says it again. */
async function knownOf(
  ledger: Ledger,
  name: string,
  isWhole: boolean,
): Promise<{ etag: string | null; lastModified: string | null }> {
  const row = await ledger
    .selectFrom('access_feeds')
    .select(['etag', 'last_modified'])
    .where('name', '=', name)
    .executeTakeFirst();
  return isWhole
    ? { etag: row?.etag ?? null, lastModified: row?.last_modified ?? null }
    : { etag: null, lastModified: null };
}

async function isKept({ state }: AccessFiles, { name, sha256 }: Feed): Promise<boolean> {
  return readFeed(state, name, sha256 as string).then(
    () => true,
    () => false,
  );
}

function goodRow({ sha256, list, etag, lastModified }: Tried, at: number) {
  const networks = list.prefixes.length;
  return { sha256, networks, etag, last_modified: lastModified, fetched_at: at, checked_at: at, failure: null };
}

async function note(ledger: Ledger, name: string, row: { checked_at: number; failure: string | null }): Promise<void> {
  await countInLedger(ledger, async (change) => {
    await change.updateTable('access_feeds').set(row).where('name', '=', name).execute();
  });
}

/** Read back what was kept, and let go of what was before. */
async function proveKept(
  ledger: Ledger,
  { state, ledgerFile }: AccessFiles,
  name: string,
  { sha256 }: Tried,
): Promise<Feed> {
  const feed = requireFeed(await selectFeeds(ledger), name);
  await readFeed(state, name, sha256);
  if (feed.sha256 !== sha256) {
    throw new MtpError('LEDGER_NOT_KEPT', `${ledgerFile} does not show the feed ${name} that was just written`, {
      hint: 'Run the command again.',
    });
  }
  await removeOldFeeds(state, name, sha256);
  return feed;
}

function lockOf({ state }: AccessFiles): string {
  return path.join(state, 'feeds.lock');
}

/** The networks of a feed that was tried, as one that would be in force. */
export function asLoaded(wish: FeedWish, prefixes: Prefix[], now: number): { feed: Feed; prefixes: Prefix[] } {
  const none = { sha256: null, networks: prefixes.length, fetchedAt: null, checkedAt: null, failure: null };
  return { feed: { ...wish, ...none, createdAt: now }, prefixes };
}

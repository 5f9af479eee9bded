import type { CountryPolicy } from '../../lib/access/country.ts';
import { type FeedSources, refreshFeed } from '../../lib/access/feeds.ts';
import { type AccessFiles, countryStamp, listAccess } from '../../lib/access/load.ts';
import type { Feed } from '../../lib/access/rule.ts';
import { MtpError } from '../../lib/errors.ts';
import type { Log } from '../telemetry/log.ts';

export interface FeedKeeperParts {
  files: AccessFiles;
  sources: FeedSources;
  /** Called where what the rules come to is another than before. */
  changed: () => Promise<unknown>;
  log: Log;
}

/** A source that failed is asked again after this time, or its interval where that is shorter. */
const RETRY_MS = 1_800_000;

/** Feeds as time passes: each is read again at its interval. A database of countries that was replaced is noticed as well. */
export class FeedKeeper {
  readonly #parts: FeedKeeperParts;
  /** Of the policy and its database when we looked last; undefined before, null where there is none. */
  #stamp: string | null | undefined;

  constructor(parts: FeedKeeperParts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { files, sources, changed, log } = this.#parts;
    const { feeds, policy } = await listAccess(files);
    let isOther = await this.#isReplaced(policy);
    for (const { name } of feeds.filter((feed) => isDue(feed, sources.now()))) {
      const { feed, state, wrong } = await refreshFeed(files, name, false, sources);
      const { networks, failure } = feed;
      if (state === 'failed') log('warn', 'feed_failed', { feed: name, reason: failure });
      if (state === 'changed') log('info', 'feed_refreshed', { feed: name, networks, wrong });
      isOther ||= state === 'changed';
    }
    if (isOther) await changed();
  }

  /** Whether the database is another than when we looked last. The first look only takes note. */
  async #isReplaced(policy: CountryPolicy | null): Promise<boolean> {
    const before = this.#stamp;
    try {
      this.#stamp = policy && (await countryStamp(policy));
    } catch (error) {
      if (!(error instanceof MtpError)) throw error;
      // What is in force stays; the file may be about to be replaced.
      return false;
    }
    return before !== undefined && this.#stamp !== null && before !== this.#stamp;
  }
}

function isDue({ refreshMs, checkedAt, failure }: Feed, now: number): boolean {
  if (refreshMs === null) return false;
  const wait = failure === null ? refreshMs : Math.min(refreshMs, RETRY_MS);
  return now >= (checkedAt ?? 0) + wait;
}

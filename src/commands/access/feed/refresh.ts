import { Args, Flags } from '@oclif/core';
import { describeRefreshed, type FeedView, viewFeed } from '../../../lib/access/describe.ts';
import { refreshFeeds } from '../../../lib/access/feeds.ts';
import { type GuardEffect, notifyGuard } from '../../../lib/access/notify.ts';
import { BaseCommand } from '../../../lib/cli/base-command.ts';
import { EXIT } from '../../../lib/errors.ts';

export default class AccessFeedRefresh extends BaseCommand {
  static override summary = 'Read feeds again now, one or all.';
  static override description =
    'What is good comes into force; of what is not, the reason is named and what was good stays. Exit status 1 when one failed.';

  static override args = {
    name: Args.string({ description: 'Which; all if not given' }),
  };

  static override flags = {
    accept: Flags.boolean({ summary: 'Take what is much shorter than before, or names no network.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> bad --accept',
  ];

  async run(): Promise<{ feeds: (FeedView & { outcome: string })[]; effect: GuardEffect | null }> {
    const { args, flags } = await this.parse(AccessFeedRefresh);
    const paths = this.paths(flags);
    const refreshed = await refreshFeeds(paths, args.name, flags.accept);
    for (const one of refreshed) this.log('%s', describeRefreshed(one));
    if (refreshed.length === 0) this.log('There are no feeds.');
    if (refreshed.some(({ state }) => state === 'failed')) process.exitCode = EXIT.failed;
    const feeds = refreshed.map(({ feed, state }) => ({ ...viewFeed(feed), outcome: state }));
    if (!refreshed.some(({ state }) => state === 'changed')) return { feeds, effect: null };
    const effect = await notifyGuard(paths, 'What the feeds say is kept');
    this.log(effect.sentence);
    return { feeds, effect };
  }
}

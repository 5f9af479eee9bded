import { Args } from '@oclif/core';
import { type FeedView, viewFeed } from '../../../lib/access/describe.ts';
import { removeFeed, requireFeed } from '../../../lib/access/feeds.ts';
import { listAccess } from '../../../lib/access/load.ts';
import { type GuardEffect, notifyGuard } from '../../../lib/access/notify.ts';
import { goesOn, ownHits } from '../../../lib/access/own-hits.ts';
import { BaseCommand } from '../../../lib/cli/base-command.ts';
import { changeFlags } from '../../../lib/cli/rule-flags.ts';
import { plural } from '../../../lib/ui/format.ts';
import { confirm } from '../../../lib/ui/prompt.ts';
import { renderWarning } from '../../../lib/ui/warning.ts';

export default class AccessFeedRemove extends BaseCommand {
  static override summary = 'Remove a feed, with all networks that are only there by it.';

  static override args = {
    name: Args.string({ required: true, description: 'Which' }),
  };

  static override flags = { ...changeFlags };

  static override examples = [
    '<%= config.bin %> <%= command.id %> bad',
    '<%= config.bin %> <%= command.id %> bad --yes',
  ];

  async run(): Promise<{ feed: FeedView; removed: boolean; effect: GuardEffect | null }> {
    const { args, flags } = await this.parse(AccessFeedRemove);
    const paths = this.paths(flags);
    const found = requireFeed((await listAccess(paths)).feeds, args.name);
    const { name, networks } = found;
    const feed = viewFeed(found);
    const hits = await ownHits(
      paths,
      (access) => ({ ...access, feeds: access.feeds.filter((one) => one.feed.name !== name) }),
      Date.now(),
    );
    const [yes, warn] = [flags.yes || flags['dry-run'], (text: string) => this.logToStderr(renderWarning(text))];
    const question = `Remove the feed ${name} with ${plural(networks, 'network')}?`;
    const wanted = hits.length > 0 || yes || (await confirm(question, '--yes'));
    if (!wanted || !(await goesOn(hits, { yes, warn })) || flags['dry-run']) {
      this.log(flags['dry-run'] ? `The feed ${name} would be removed. Nothing was changed.` : `Kept ${name}.`);
      return { feed, removed: false, effect: null };
    }
    await removeFeed(paths, name);
    const effect = await notifyGuard(paths, 'The feed is removed');
    this.log(`Removed the feed ${name}. ${effect.sentence}`);
    return { feed, removed: true, effect };
  }
}

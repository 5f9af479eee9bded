import { Args, Flags } from '@oclif/core';
import { type FeedView, viewFeed } from '../../../lib/access/describe.ts';
import { addFeed, asLoaded, tryFeed } from '../../../lib/access/feeds.ts';
import { readFeedWish, readRefresh } from '../../../lib/access/feed-wish.ts';
import { type GuardEffect, notifyGuard } from '../../../lib/access/notify.ts';
import { goesOn, ownHits, type OwnAddress } from '../../../lib/access/own-hits.ts';
import { readLevel } from '../../../lib/access/rule-wish.ts';
import { BaseCommand } from '../../../lib/cli/base-command.ts';
import { changeFlags, levelFlags } from '../../../lib/cli/rule-flags.ts';
import { plural } from '../../../lib/ui/format.ts';
import { renderWarning } from '../../../lib/ui/warning.ts';

export default class AccessFeedAdd extends BaseCommand {
  static override summary = 'Keep a list of networks from a file or the web up to date, and say what they are let do.';
  static override description =
    'The list has an address, a network (as FireHOL netsets have them) or a range a line. It is read and judged first: one that is a web page, or mostly something else, is refused. While the proxy runs, it is read again at the interval; what is worse than before is refused then, and what was good stays.';

  static override args = {
    name: Args.string({ required: true, description: 'What you call it' }),
    source: Args.string({ required: true, description: 'File, or https address' }),
  };

  static override flags = {
    ...levelFlags,
    refresh: Flags.string({
      summary: 'How often it is read again, such as 24h; none for when you say so.',
      default: '24h',
      helpValue: 'SPAN',
    }),
    pin: Flags.string({ summary: 'SHA-256 that its content has to have.', helpValue: 'HEX' }),
    accept: Flags.boolean({ summary: 'Take it although it names no network.' }),
    ...changeFlags,
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> bad https://iplists.firehol.org/files/firehol_level2.netset --level NONE',
    '<%= config.bin %> <%= command.id %> friends friends.txt --level STANDARD --refresh 1h',
  ];

  async run(): Promise<{
    feed: FeedView | null;
    networks: number;
    sha256: string;
    wrong: number;
    hits: OwnAddress[];
    effect: GuardEffect | null;
  }> {
    const { args, flags } = await this.parse(AccessFeedAdd);
    const paths = this.paths(flags);
    const now = Date.now();
    const { mode, pin = null } = flags;
    const [level, refreshMs] = [readLevel(flags.level), readRefresh(flags.refresh)];
    const wish = readFeedWish({ ...args, level, mode, pin, refreshMs });
    const tried = await tryFeed(paths, wish, flags.accept);
    const { list, sha256 } = tried;
    const report = { networks: list.prefixes.length, sha256, wrong: list.wrong };
    const left = list.wrong === 0 ? '' : `; ${plural(list.wrong, 'line')} left out that name none`;
    this.log(`${wish.source}: ${plural(report.networks, 'network')}${left}, SHA-256 ${sha256}`);
    const hits = await ownHits(
      paths,
      (access) => ({ ...access, feeds: [...access.feeds, asLoaded(wish, list.prefixes, now)] }),
      now,
    );
    const [yes, warn] = [flags.yes || flags['dry-run'], (text: string) => this.logToStderr(renderWarning(text))];
    if (!(await goesOn(hits, { yes, warn })) || flags['dry-run']) {
      this.log('Nothing was changed.');
      return { ...report, feed: null, hits, effect: null };
    }
    const feed = await addFeed(paths, wish, tried);
    const effect = await notifyGuard(paths, 'The feed is kept');
    this.log(`Added the feed ${feed.name}. ${effect.sentence}`);
    return { ...report, feed: viewFeed(feed), hits, effect };
  }
}

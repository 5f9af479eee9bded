import { FEED_HEADERS, feedNotes, feedRow, type FeedView, viewFeed } from '../../../lib/access/describe.ts';
import { listAccess } from '../../../lib/access/load.ts';
import { BaseCommand } from '../../../lib/cli/base-command.ts';
import { formatTable } from '../../../lib/ui/table.ts';

export default class AccessFeedList extends BaseCommand {
  static override summary = 'List the feeds: what they have, where it is from, and what went wrong.';

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<{ feeds: FeedView[] }> {
    const { flags } = await this.parse(AccessFeedList);
    const now = Date.now();
    const { feeds } = await listAccess(this.paths(flags));
    const rows = feeds.map((feed) => feedRow(feed, now));
    const none = `No feeds yet. Add one with: ${this.config.bin} access feed add NAME SOURCE --level NONE`;
    const lines = feeds.length === 0 ? [none] : [...formatTable(FEED_HEADERS, rows), '', ...feedNotes(feeds, now)];
    for (const line of lines) this.log('%s', line);
    return { feeds: feeds.map(viewFeed) };
  }
}

import { BaseCommand } from '../../lib/cli/base-command.ts';
import { type BanView, viewBan } from '../../lib/guard/describe.ts';
import { formatBans } from '../../lib/guard/exchange.ts';
import { listBans } from '../../lib/guard/operate.ts';

export default class BanExport extends BaseCommand {
  static override summary = 'Write the bans to standard output, as "ban import" reads them.';

  static override examples = ['<%= config.bin %> <%= command.id %> > bans.txt'];

  async run(): Promise<{ bans: BanView[] }> {
    const { flags } = await this.parse(BanExport);
    const bans = await listBans(this.paths(flags), Date.now());
    if (!this.jsonEnabled()) process.stdout.write(formatBans(bans));
    return { bans: bans.map(viewBan) };
  }
}

import { BaseCommand } from '../../lib/cli/base-command.ts';
import { BAN_HEADERS, banRow, type BanView, viewBan } from '../../lib/guard/describe.ts';
import { listBans } from '../../lib/guard/operate.ts';
import { formatTable } from '../../lib/ui/table.ts';

export default class BanList extends BaseCommand {
  static override summary = 'List the networks that are shut out.';

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<{ bans: BanView[] }> {
    const { flags } = await this.parse(BanList);
    const now = Date.now();
    const bans = await listBans(this.paths(flags), now);
    const rows = bans.map((ban) => banRow(ban, now));
    const lines = bans.length === 0 ? ['Nobody is banned.'] : formatTable(BAN_HEADERS, rows);
    for (const line of lines) this.log('%s', line);
    return { bans: bans.map(viewBan) };
  }
}

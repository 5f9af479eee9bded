import { BaseCommand } from '../../lib/cli/base-command.ts';
import { ALLOWED_HEADERS, allowedRow, type AllowedView, viewAllowed } from '../../lib/guard/describe.ts';
import { listAllowed } from '../../lib/guard/operate.ts';
import { formatTable } from '../../lib/ui/table.ts';

export default class AllowList extends BaseCommand {
  static override summary = 'List the networks that are never shut out.';

  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async run(): Promise<{ allowed: AllowedView[] }> {
    const { flags } = await this.parse(AllowList);
    const now = Date.now();
    const allowed = await listAllowed(this.paths(flags), now);
    const rows = allowed.map((one) => allowedRow(one, now));
    const lines = allowed.length === 0 ? ['No network is on the list.'] : formatTable(ALLOWED_HEADERS, rows);
    for (const line of lines) this.log('%s', line);
    return { allowed: allowed.map(viewAllowed) };
  }
}

import { BaseCommand } from '../../lib/cli/base-command.ts';
import { describeHistory, type HistoryRow, loadHistory } from '../../lib/config/history.ts';
import { readText } from '../../lib/config/read-text.ts';
import { historyTable } from '../../lib/ui/history.ts';

export default class ConfigHistory extends BaseCommand {
  static override summary = 'List the configurations that were in force, the newest first.';
  static override description = 'The last 20 are kept. A * marks the one that the file has now.';

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<HistoryRow[]> {
    const { flags } = await this.parse(ConfigHistory);
    const paths = this.paths(flags);
    const rows = describeHistory(await loadHistory(paths), await readText(paths.configFile));
    for (const line of historyTable(rows)) this.log('%s', line);
    return rows;
  }
}

import { BaseCommand } from '../../lib/cli/base-command.ts';
import { type ListedSetting, listSettings, settingRow } from '../../lib/config/list.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { formatTable } from '../../lib/ui/table.ts';

export default class ConfigList extends BaseCommand {
  static override summary = 'Show every setting, its value and where it comes from.';
  static override description =
    'A flag of the command that starts the proxy counts before an MTP_* variable, that before the file, and that before the default. Passwords are masked.';

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<ListedSetting[]> {
    const { flags } = await this.parse(ConfigList);
    const listed = listSettings(await loadConfig({ file: this.paths(flags).configFile, env: process.env }));
    for (const line of formatTable(['SETTING', 'VALUE', 'FROM'], listed.map(settingRow))) this.log('%s', line);
    return listed;
  }
}

import type { Command } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { pluginsHere } from '../../lib/cli/plugins-here.ts';
import { formatTable } from '../../lib/ui/table.ts';

interface Listed {
  name: string;
  version: string;
  /** As they are typed. */
  commands: string[];
}

export default class Plugins extends BaseCommand {
  static override summary = 'List the plugins, whose commands are beside those of mtp.';

  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async run(): Promise<{ directory: string; plugins: Listed[] }> {
    await this.parse(Plugins);
    const { directory, installed } = pluginsHere();
    const plugins = Object.entries(installed).map(([name, version]) => ({
      name,
      version,
      commands: this.config.commands.filter(ofPlugin(name)).map(({ id }) => id.replaceAll(':', ' ')),
    }));
    if (plugins.length === 0) this.log(`No plugins. Install one with: ${this.config.bin} plugins install FILE`);
    const rows = plugins.map(({ name, version, commands }) => [name, version, commands.join(', ') || 'does not load']);
    if (rows.length > 0) for (const line of formatTable(['NAME', 'VERSION', 'COMMANDS'], rows)) this.log('%s', line);
    return { directory, plugins };
  }
}

const ofPlugin =
  (name: string) =>
  ({ pluginName }: Command.Loadable): boolean =>
    pluginName === name;

import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { pluginsHere } from '../../lib/cli/plugins-here.ts';
import { removePlugin } from '../../lib/plugins/install.ts';
import { confirm } from '../../lib/ui/prompt.ts';

export default class PluginsRemove extends BaseCommand {
  static override summary = 'Remove a plugin.';

  static override args = {
    name: Args.string({ required: true, description: 'As "plugins" lists it' }),
  };

  static override flags = {
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %> mtp-plugin-hello --yes'];

  async run(): Promise<{ name: string; removed: boolean }> {
    const { args, flags } = await this.parse(PluginsRemove);
    const { directory, uid } = pluginsHere();
    if (!flags.yes && !(await confirm(`Remove ${args.name}?`, '--yes'))) {
      this.log(`Kept ${args.name}.`);
      return { name: args.name, removed: false };
    }
    await removePlugin(args.name, directory, uid);
    this.log(`Removed ${args.name}.`);
    return { name: args.name, removed: true };
  }
}

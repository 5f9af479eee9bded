import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { removeHost } from '../../lib/fleet/add.ts';
import { hostNamed, readFleet } from '../../lib/fleet/hosts.ts';
import { confirm } from '../../lib/ui/prompt.ts';

export default class FleetRemove extends BaseCommand {
  static override summary = 'Take a machine off the list. What is on it stays as it is.';

  static override args = {
    host: Args.string({ required: true, description: 'Which one' }),
  };

  static override flags = {
    'dry-run': Flags.boolean({ summary: 'Say what would be done, and do nothing.' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %> fra --yes'];

  async run(): Promise<{ host: string; removed: boolean }> {
    const { args, flags } = await this.parse(FleetRemove);
    const paths = this.paths(flags);
    const { name } = hostNamed((await readFleet(paths)).hosts, args.host);
    if (flags['dry-run']) {
      this.log(`Dry run: ${name} would be taken off the list; its users stay there, and can connect.`);
      return { host: name, removed: false };
    }
    if (!flags.yes && !(await confirm(`Take ${name} off the list? Its users stay there, and can connect.`, '--yes'))) {
      this.log(`Kept ${name}.`);
      return { host: name, removed: false };
    }
    await removeHost(paths, name);
    this.log(`Removed ${name}. Its users are still there, and can connect.`);
    return { host: name, removed: true };
  }
}

import { Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { firewallEdges, firewallFlags } from '../../lib/cli/firewall-flags.ts';
import { type FirewallRemoval, removeFirewall } from '../../lib/firewall/remove.ts';
import { removalLines } from '../../lib/firewall/text.ts';
import { confirm } from '../../lib/ui/prompt.ts';

export default class FirewallRemove extends BaseCommand {
  static override summary = 'Take away every rule, opening and unit of mtp, and nothing else.';

  static override flags = {
    prefix: firewallFlags.prefix,
    'dry-run': Flags.boolean({ summary: 'Say what would be taken away and change nothing.' }),
    yes: Flags.boolean({ summary: 'Do not ask.' }),
  };

  static override examples = [
    'sudo <%= config.bin %> <%= command.id %> --dry-run',
    'sudo <%= config.bin %> <%= command.id %> --yes',
  ];

  async run(): Promise<FirewallRemoval | { removed: null }> {
    const { flags } = await this.parse(FirewallRemove);
    const removal = await removeFirewall(this.paths(flags), {
      ...firewallEdges({}),
      root: flags.prefix,
      dryRun: flags['dry-run'],
      agree: async (removed) => {
        if (flags.yes) return true;
        for (const one of removed) this.log('To remove: %s', one);
        return confirm('Remove these? The port of the proxy may be closed then.', '--yes');
      },
    });
    for (const line of removalLines(removal)) this.log('%s', line);
    return removal ?? { removed: null };
  }
}

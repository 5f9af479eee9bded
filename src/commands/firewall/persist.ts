import { Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { firewallEdges, firewallFlags } from '../../lib/cli/firewall-flags.ts';
import { type Persisted, persistRules } from '../../lib/firewall/persist.ts';
import { persistLines } from '../../lib/firewall/text.ts';
import { readWorld } from '../../lib/firewall/world.ts';

export default class FirewallPersist extends BaseCommand {
  static override summary = 'Have the rules that are in force come back when the machine starts.';
  static override description = `A unit of systemd loads them after nftables.service, which begins with flushing all rules. What ufw was asked it keeps
itself.`;

  static override flags = {
    ...firewallFlags,
    'dry-run': Flags.boolean({ summary: 'Say what would be written and change nothing.' }),
  };

  static override examples = ['sudo <%= config.bin %> <%= command.id %>'];

  async run(): Promise<Persisted> {
    const { flags } = await this.parse(FirewallPersist);
    const paths = this.paths(flags);
    const edges = firewallEdges(flags);
    const world = await readWorld(paths, edges);
    const options = { exec: edges.exec, root: flags.prefix, dryRun: flags['dry-run'] };
    const persisted = await persistRules(paths.firewall, world, options);
    for (const line of persistLines(persisted, flags['dry-run'])) this.log('%s', line);
    return persisted;
  }
}

import { BaseCommand } from '../../lib/cli/base-command.ts';
import { firewallEdges, firewallFlags } from '../../lib/cli/firewall-flags.ts';
import { type FirewallStatus as Status, readFirewallStatus, statusExit } from '../../lib/firewall/status.ts';
import { statusLines } from '../../lib/firewall/text.ts';
import { readWorld } from '../../lib/firewall/world.ts';
import { paint } from '../../lib/ui/paint.ts';

export default class FirewallStatus extends BaseCommand {
  static override summary = 'Compare the rules that are wanted with those in the kernel, and name every difference.';
  static override description =
    'Exit status 1 when something differs or SSH does not answer, 2 when the rules do not outlast a restart or wait to be confirmed.';

  static override flags = firewallFlags;

  static override examples = [
    'sudo <%= config.bin %> <%= command.id %>',
    'sudo <%= config.bin %> <%= command.id %> --json',
  ];

  async run(): Promise<Status> {
    const { flags } = await this.parse(FirewallStatus);
    const paths = this.paths(flags);
    const edges = firewallEdges(flags);
    const world = await readWorld(paths, edges);
    const status = await readFirewallStatus(paths.firewall, world, { ...edges, root: flags.prefix, now: Date.now });
    for (const line of statusLines(status, paint(process.stdout))) this.log('%s', line);
    process.exitCode = statusExit(status);
    return status;
  }
}

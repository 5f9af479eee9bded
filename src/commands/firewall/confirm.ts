import { BaseCommand } from '../../lib/cli/base-command.ts';
import { firewallEdges } from '../../lib/cli/firewall-flags.ts';
import { confirmChange } from '../../lib/firewall/confirm.ts';
import { assertRoot } from '../../lib/firewall/world.ts';

export default class FirewallConfirm extends BaseCommand {
  static override summary = 'Keep the change of the firewall that waits; run it from a new connection.';
  static override description = 'Exit status 6 when it was too late and the rules from before are back.';

  static override examples = ['sudo <%= config.bin %> <%= command.id %>'];

  async run(): Promise<{ id: string }> {
    const { flags } = await this.parse(FirewallConfirm);
    const { exec, isRoot } = firewallEdges({});
    assertRoot(isRoot);
    const kept = await confirmChange(this.paths(flags).firewall, exec);
    this.log('Kept. For the next start of the machine: %s firewall persist', this.config.bin);
    return kept;
  }
}

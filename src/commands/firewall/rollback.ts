import { BaseCommand } from '../../lib/cli/base-command.ts';
import { firewallEdges } from '../../lib/cli/firewall-flags.ts';
import { rollBackChange } from '../../lib/firewall/confirm.ts';
import { assertRoot } from '../../lib/firewall/world.ts';

export default class FirewallRollback extends BaseCommand {
  static override summary = 'Take the change of the firewall that waits back now.';

  static override examples = ['sudo <%= config.bin %> <%= command.id %>'];

  async run(): Promise<{ id: string }> {
    const { flags } = await this.parse(FirewallRollback);
    const { exec, isRoot } = firewallEdges({});
    assertRoot(isRoot);
    const takenBack = await rollBackChange(this.paths(flags).firewall, exec);
    this.log('The rules from before are back.');
    return takenBack;
  }
}

import { Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { firewallEdges, firewallFlags } from '../../lib/cli/firewall-flags.ts';
import { type FirewallPlan as Plan, planFirewall } from '../../lib/firewall/plan.ts';
import { planLines } from '../../lib/firewall/text.ts';
import { readWorld } from '../../lib/firewall/world.ts';
import { paint } from '../../lib/ui/paint.ts';

export default class FirewallPlan extends BaseCommand {
  static override summary = 'Show which rules would be put into force, and who would be asked. Changes nothing.';

  static override flags = {
    ...firewallFlags,
    rules: Flags.boolean({ summary: 'Print every rule, also where none of ours is there yet.' }),
  };

  static override examples = [
    'sudo <%= config.bin %> <%= command.id %>',
    'sudo <%= config.bin %> <%= command.id %> --rules --backend iptables',
  ];

  async run(): Promise<Plan> {
    const { flags } = await this.parse(FirewallPlan);
    const plan = planFirewall(await readWorld(this.paths(flags), firewallEdges(flags)));
    for (const line of planLines(plan, paint(process.stdout), { all: flags.rules })) this.log('%s', line);
    return plan;
  }
}

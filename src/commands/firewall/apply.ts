import { Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { firewallEdges, firewallFlags } from '../../lib/cli/firewall-flags.ts';
import { EXIT } from '../../lib/errors.ts';
import { applyFirewall, type ApplyResult } from '../../lib/firewall/apply.ts';
import { applyLines, planLines } from '../../lib/firewall/text.ts';
import { paint } from '../../lib/ui/paint.ts';
import { canAsk, confirm, confirmWithin } from '../../lib/ui/prompt.ts';

export default class FirewallApply extends BaseCommand {
  static override summary = 'Put the rules into force, with a way back: what nobody confirms is taken back by itself.';
  static override description = `The way back is armed before anything changes and needs nothing of mtp. Then the rules go to the kernel, are read back,
and SSH is tried by a new connection. At a terminal you are asked whether you are still connected; without one, confirm
with "firewall confirm" from a new connection or choose --confirm-by probe. Exit status 2 while the change waits to be
confirmed, 6 when it was taken back.`;

  static override flags = {
    ...firewallFlags,
    'confirm-by': Flags.option({ options: ['person', 'probe'] as const, default: 'person' as const })({
      summary: 'What keeps the change: a person, or that kernel and SSH were found as they should be.',
    }),
    within: Flags.integer({
      default: 90,
      min: 5,
      max: 3600,
      helpValue: 'SECONDS',
      summary: 'Time to confirm; then the rules from before come back.',
    }),
    'dry-run': Flags.boolean({ summary: 'Show the plan and change nothing.' }),
    yes: Flags.boolean({ summary: 'Do not ask before the change.' }),
  };

  static override examples = [
    'sudo <%= config.bin %> <%= command.id %>',
    'sudo <%= config.bin %> <%= command.id %> --yes --confirm-by probe',
    'sudo <%= config.bin %> <%= command.id %> --yes --within 300',
  ];

  async run(): Promise<ApplyResult> {
    const { flags } = await this.parse(FirewallApply);
    const { 'dry-run': dryRun, 'confirm-by': confirmBy, within, yes } = flags;
    const colours = paint(process.stdout);
    const result = await applyFirewall(
      this.paths(flags),
      { dryRun, within, confirmBy },
      {
        ...firewallEdges(flags),
        reached: () => undefined,
        showPlan: (plan) => this.print(planLines(plan, colours, { all: false })),
        agree: async () => yes || confirm('Put this into force?', '--yes'),
        stillThere: async (ms) =>
          this.jsonEnabled() || !canAsk() ? null : confirmWithin('Are you still connected? Keep these rules', ms),
      },
    );
    this.print(applyLines(result));
    if (result.state === 'pending') process.exitCode = EXIT.warnings;
    return result;
  }

  private print(lines: string[]): void {
    for (const line of lines) this.log('%s', line);
  }
}

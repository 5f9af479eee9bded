import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { graceFlags, readGrace } from '../../lib/cli/grace-flags.ts';
import { describeFleetPlan, outcomeLines } from '../../lib/fleet/describe.ts';
import { type FleetRotated, performFleetRotation, planFleetRotation } from '../../lib/fleet/rotate.ts';
import { exitOf } from '../../lib/fleet/sync.ts';
import { paint } from '../../lib/ui/paint.ts';
import { confirm } from '../../lib/ui/prompt.ts';
import { shownStep, silentStep } from '../../lib/ui/steps.ts';

export default class FleetRotate extends BaseCommand {
  static override summary = 'Replace the secret of a user here and on all other machines.';

  static override description =
    'First here, then on one host after the other; each shows by handshakes that both secrets are accepted. A host that cannot ' +
    'be reached is named, and running the command again goes on with what is missing. Exit status 1 while something is, 2 ' +
    'where no proxy runs that could show it.';

  static override args = {
    name: Args.string({ required: true, description: 'Whose secret to replace' }),
  };

  static override flags = {
    ...graceFlags,
    emergency: Flags.boolean({
      default: false,
      summary: 'Refuse the old secret at once, and cut who is connected with it.',
    }),
    'dry-run': Flags.boolean({ summary: 'Say what would be done, and do nothing.' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> bob',
    '<%= config.bin %> <%= command.id %> bob --grace 3d --limit-networks 2 --yes',
    '<%= config.bin %> <%= command.id %> bob --emergency --yes',
  ];

  async run(): Promise<Partial<FleetRotated> & { name: string; planned: string[] }> {
    const { args, flags } = await this.parse(FleetRotate);
    const paths = this.paths(flags);
    const wish = { emergency: flags.emergency, ...readGrace(flags) };
    const plan = await planFleetRotation(paths, args.name, wish);
    const planned = plan.hosts.map(({ name }) => name);
    const sentence = describeFleetPlan(plan);
    if (flags['dry-run']) {
      this.log(`${sentence} Dry run: nothing was changed.`);
      return { name: plan.user.name, planned };
    }
    if (!flags.yes && !(await confirm(`${sentence} Go on?`, '--yes'))) {
      this.log('Nothing was changed.');
      return { name: plan.user.name, planned };
    }
    const step = this.jsonEnabled() || !process.stdout.isTTY ? silentStep : shownStep;
    const done = await performFleetRotation(paths, plan, wish, step);
    this.log('%s', `this host: ${done.here}`);
    for (const line of outcomeLines(done.hosts, paint(process.stdout))) this.log('%s', line);
    const exit = exitOf(done.hosts);
    if (exit === 1) this.log('Not all hosts have it. Go on with: %s fleet rotate %s', this.config.bin, done.name);
    this.log('Print the links with: %s fleet links %s', this.config.bin, done.name);
    process.exitCode = exit;
    return { ...done, planned };
  }
}

import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { formatBytes } from '../../lib/ui/format.ts';
import { confirm } from '../../lib/ui/prompt.ts';
import { type PeriodView, viewPeriod } from '../../lib/usage/describe.ts';
import { resetUsage } from '../../lib/usage/reset.ts';
import { findUser } from '../../lib/users/load.ts';
import { type Effect, takeEffect } from '../../lib/users/take-effect.ts';

export default class UsageReset extends BaseCommand {
  static override summary = 'Begin a new period for somebody now: their whole quota is theirs again.';
  static override description =
    'What they used stays counted by day and month. The periods after this one begin as before.';

  static override args = {
    name: Args.string({ required: true, description: 'Whose period to begin anew' }),
  };

  static override flags = {
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> bob',
    '<%= config.bin %> <%= command.id %> bob --yes',
  ];

  async run(): Promise<{ name: string; before: PeriodView | null; after: PeriodView | null; effect: Effect | null }> {
    const { args, flags } = await this.parse(UsageReset);
    const paths = this.paths(flags);
    const { name, limits } = await findUser(paths, args.name);
    if (!flags.yes && !(await confirm(`Begin a new period for ${name} now?`, '--yes'))) {
      this.log(`Left the period of ${name} as it is.`);
      return { name, before: null, after: null, effect: null };
    }
    const now = Date.now();
    const { before, after } = await resetUsage(paths, name, now);
    const effect = await takeEffect(paths, {
      done: `a new period of ${name} has begun`,
      later: `their whole quota is there when it is started`,
    });
    this.log(
      `A new period of ${name} has begun; ${formatBytes(before.up + before.down)} were used before. ${effect.sentence}`,
    );
    const views = [before, after].map((period) => viewPeriod(period, limits.quota, now));
    return { name, before: views[0] ?? null, after: views[1] ?? null, effect };
  }
}

import { Args } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { paint } from '../../lib/ui/paint.ts';
import { formatPairs } from '../../lib/ui/table.ts';
import { renderWarning } from '../../lib/ui/warning.ts';
import { describeUser, type UserView, viewUser } from '../../lib/users/describe.ts';
import { describeUsage, viewUsed, type UsedView } from '../../lib/usage/describe.ts';
import { findUsage } from '../../lib/usage/read.ts';
import { accessWarnings } from '../../lib/users/user.ts';

export default class UserShow extends BaseCommand {
  static override summary = 'Show everything about somebody but their secrets.';

  static override args = {
    name: Args.string({ required: true, description: 'Whom to show' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> bob',
    '<%= config.bin %> <%= command.id %> bob --json',
  ];

  async run(): Promise<{ user: UserView & { used: UsedView }; warnings: string[] }> {
    const { args, flags } = await this.parse(UserShow);
    const now = Date.now();
    const found = await findUsage(this.paths(flags), args.name, now);
    const warnings = accessWarnings(found.user, now);
    for (const warning of warnings) this.logToStderr(renderWarning(warning));
    const lines = [...describeUser(found.user, now), ...describeUsage(found, now)];
    for (const line of formatPairs(lines, paint(process.stdout))) this.log('%s', line);
    return { user: { ...viewUser(found.user, now), used: viewUsed(found, now) }, warnings };
  }
}

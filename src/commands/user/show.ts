import { Args } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { paint } from '../../lib/ui/paint.ts';
import { formatPairs } from '../../lib/ui/table.ts';
import { renderWarning } from '../../lib/ui/warning.ts';
import { describeUser, type UserView, viewUser } from '../../lib/users/describe.ts';
import { findUser } from '../../lib/users/load.ts';
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

  async run(): Promise<{ user: UserView; warnings: string[] }> {
    const { args, flags } = await this.parse(UserShow);
    const now = Date.now();
    const user = await findUser(this.paths(flags), args.name);
    const warnings = accessWarnings(user, now);
    for (const warning of warnings) this.logToStderr(renderWarning(warning));
    for (const line of formatPairs(describeUser(user, now), paint(process.stdout))) this.log('%s', line);
    return { user: viewUser(user, now), warnings };
  }
}

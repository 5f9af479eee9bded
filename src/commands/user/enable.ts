import { Args } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { renderWarning } from '../../lib/ui/warning.ts';
import { type ChangedUser, changeUser, describeChanged } from '../../lib/users/change-user.ts';

export default class UserEnable extends BaseCommand {
  static override summary = 'Let somebody in again who was disabled.';

  static override args = {
    name: Args.string({ required: true, description: 'Whom to let in' }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %> bob'];

  async run(): Promise<ChangedUser> {
    const { args, flags } = await this.parse(UserEnable);
    const changed = await changeUser(this.paths(flags), args.name, () => ({ enabled: true }));
    for (const warning of changed.warnings) this.logToStderr(renderWarning(warning));
    for (const line of describeChanged(changed)) this.log('%s', line);
    return changed;
  }
}

import { Args } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { type ChangedUser, changeUser, describeChanged } from '../../lib/users/change-user.ts';

export default class UserDisable extends BaseCommand {
  static override summary = 'Keep somebody out; their secrets, limits and tags stay for later.';

  static override args = {
    name: Args.string({ required: true, description: 'Whom to keep out' }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %> bob'];

  async run(): Promise<ChangedUser> {
    const { args, flags } = await this.parse(UserDisable);
    const changed = await changeUser(this.paths(flags), args.name, () => ({ enabled: false }));
    for (const line of describeChanged(changed)) this.log('%s', line);
    return changed;
  }
}

import { Args } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { type ChangedUser, changeUser, describeChanged } from '../../lib/users/change-user.ts';

export default class UserRename extends BaseCommand {
  static override summary = 'Call somebody otherwise; links, limits and connections stay as they are.';

  static override args = {
    name: Args.string({ required: true, description: 'Whom to rename' }),
    'new-name': Args.string({ required: true, description: 'The new name: letters, digits and . - _ @' }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %> bob robert'];

  async run(): Promise<ChangedUser> {
    const { args, flags } = await this.parse(UserRename);
    const changed = await changeUser(this.paths(flags), args.name, () => ({ name: args['new-name'] }));
    for (const line of describeChanged(changed)) this.log('%s', line);
    return changed;
  }
}

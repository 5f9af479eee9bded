import { Args } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { profileFlags } from '../../lib/cli/profile-flags.ts';
import { renderWarning } from '../../lib/ui/warning.ts';
import { type ChangedUser, changeUser, describeChanged } from '../../lib/users/change-user.ts';
import { readWishes, requireWish } from '../../lib/users/wishes.ts';

export default class UserSet extends BaseCommand {
  static override summary = 'Change what somebody may use, until when, their tags or the note.';

  static override description = 'What is not named stays. "none" takes a limit, the end or all tags away; 0 means 0.';

  static override args = {
    name: Args.string({ required: true, description: 'Whom to change' }),
  };

  static override flags = { ...profileFlags };

  static override examples = [
    '<%= config.bin %> <%= command.id %> bob --devices 5 --expires 2027-01-31',
    '<%= config.bin %> <%= command.id %> bob --max-networks none',
  ];

  async run(): Promise<ChangedUser> {
    const { args, flags } = await this.parse(UserSet);
    const now = Date.now();
    const changed = await changeUser(this.paths(flags), args.name, ({ limits }) =>
      requireWish(readWishes(flags, limits, now)),
    );
    for (const warning of changed.warnings) this.logToStderr(renderWarning(warning));
    for (const line of describeChanged(changed)) this.log('%s', line);
    return changed;
  }
}

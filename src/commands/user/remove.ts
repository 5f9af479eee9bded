import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { confirm } from '../../lib/ui/prompt.ts';
import { findUser } from '../../lib/users/load.ts';
import { removeUser } from '../../lib/users/store.ts';
import { type Effect, takeEffect } from '../../lib/users/take-effect.ts';

export default class UserRemove extends BaseCommand {
  static override summary = 'Remove somebody with all their secrets, for good.';

  static override args = {
    name: Args.string({ required: true, description: 'Whom to remove' }),
  };

  static override flags = {
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> bob',
    '<%= config.bin %> <%= command.id %> bob --yes',
  ];

  async run(): Promise<{ name: string; id: string; removed: boolean; effect: Effect | null }> {
    const { args, flags } = await this.parse(UserRemove);
    const paths = this.paths(flags);
    const { name, id } = await findUser(paths, args.name);
    if (!flags.yes && !(await confirm(`Remove ${name} and all their secrets for good?`, '--yes'))) {
      this.log(`Kept ${name}.`);
      return { name, id, removed: false, effect: null };
    }
    await removeUser(paths, name);
    const effect = await takeEffect(paths, {
      done: `${name} is removed`,
      later: `${name} is not let in any more`,
    });
    this.log(`Removed ${name}. ${effect.sentence}`);
    return { name, id, removed: true, effect };
  }
}

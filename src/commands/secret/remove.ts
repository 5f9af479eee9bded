import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { confirm } from '../../lib/ui/prompt.ts';
import { loadUsers, removeUser, requireUser } from '../../lib/users/store.ts';
import { type Effect, takeEffect } from '../../lib/users/take-effect.ts';

export default class SecretRemove extends BaseCommand {
  static override summary = 'Remove somebody; their secret is refused from then on.';

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

  async run(): Promise<{ name: string; removed: boolean; effect: Effect | null }> {
    const { args, flags } = await this.parse(SecretRemove);
    const paths = this.paths(flags);
    const { name } = requireUser((await loadUsers(paths)).users, args.name);
    if (!flags.yes && !(await confirm(`Remove ${name} for good?`, '--yes'))) {
      this.log(`Kept ${name}.`);
      return { name, removed: false, effect: null };
    }
    await removeUser(paths, name);
    const effect = await takeEffect(paths, 'removed', name);
    this.log(`Removed ${name}. ${effect.sentence}`);
    return { name, removed: true, effect };
  }
}

import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { readSpan } from '../../lib/cli/grace-flags.ts';
import { assertUnused, drainSecret } from '../../lib/rotation/unused.ts';
import { confirm } from '../../lib/ui/prompt.ts';
import { loadUser } from '../../lib/users/load.ts';
import { chooseSecret, removeSecret } from '../../lib/users/secrets.ts';
import { type Effect, takeEffect } from '../../lib/users/take-effect.ts';

export default class SecretRemove extends BaseCommand {
  static override summary = 'Remove a secret of somebody; it is refused from then on, and the user stays.';

  static override args = {
    name: Args.string({ required: true, description: 'Whose secret to remove' }),
  };

  static override flags = {
    id: Flags.string({ summary: 'Which of several secrets; "mtp secret list" shows them.', helpValue: 'ID' }),
    drain: Flags.string({
      summary: 'Let nobody new in, and wait so long for those who are connected with it to go, such as 5m.',
      helpValue: 'SPAN',
      exclusive: ['force'],
    }),
    force: Flags.boolean({ summary: 'Cut who is connected with it.' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> bob',
    '<%= config.bin %> <%= command.id %> bob --id 0f6c1d2e3a4b5c6d --yes',
    '<%= config.bin %> <%= command.id %> bob --drain 5m',
  ];

  async run(): Promise<{ name: string; id: string; removed: boolean; left: number; effect: Effect | null }> {
    const { args, flags } = await this.parse(SecretRemove);
    const paths = this.paths(flags);
    const { user } = await loadUser(paths, args.name);
    const { name } = user;
    const { id } = chooseSecret(user, flags.id);
    const drainMs = flags.drain === undefined ? undefined : readSpan('--drain', flags.drain);
    if (!flags.force && drainMs === undefined) await assertUnused(paths, { name, id });
    if (!flags.yes && !(await confirm(`Remove the secret ${id} of ${name} for good?`, '--yes'))) {
      this.log(`Kept the secret of ${name}.`);
      return { name, id, removed: false, left: user.secrets.length, effect: null };
    }
    if (drainMs !== undefined) await drainSecret(paths, { name, id }, drainMs);
    const { left } = await removeSecret(paths, { name, id });
    const effect = await takeEffect(paths, {
      done: `the secret ${id} of ${name} is removed`,
      later: 'it is not accepted any more',
    });
    this.log(`Removed the secret ${id} of ${name}, who has ${left} left. ${effect.sentence}`);
    return { name, id, removed: true, left, effect };
  }
}

import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { profileFlags } from '../../lib/cli/profile-flags.ts';
import { mayBeWeak } from '../../lib/secret/allow-weak.ts';
import { readGivenSecret } from '../../lib/secret/secret-file.ts';
import { renderWarning } from '../../lib/ui/warning.ts';
import { type UserView, viewUser } from '../../lib/users/describe.ts';
import { addUser } from '../../lib/users/store.ts';
import { type Effect, takeEffect } from '../../lib/users/take-effect.ts';
import { accessWarnings, mayConnect, NO_LIMITS } from '../../lib/users/user.ts';
import { readWishes } from '../../lib/users/wishes.ts';

export default class UserAdd extends BaseCommand {
  static override summary = 'Add somebody who may connect, with a secret of their own.';

  static override args = {
    name: Args.string({ required: true, description: 'What you call them: letters, digits and . - _ @' }),
  };

  static override flags = {
    ...profileFlags,
    'secret-file': Flags.string({
      summary: 'Take the secret from this file instead of making one; - is standard input.',
      helpValue: 'FILE',
    }),
    'allow-weak': Flags.boolean({ summary: 'Take a secret that is easy to guess.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> bob',
    '<%= config.bin %> <%= command.id %> bob --devices 3 --max-networks 2 --expires 30d',
    '<%= config.bin %> <%= command.id %> bob --quota 50GB/month --quota-from 2027-01-01',
    '<%= config.bin %> <%= command.id %> bob --speed 20Mbit --tag family --note "met in May"',
  ];

  async run(): Promise<{ user: UserView; effect: Effect; warnings: string[] }> {
    const { args, flags } = await this.parse(UserAdd);
    const paths = this.paths(flags);
    const profile = readWishes(flags, NO_LIMITS, Date.now());
    const key = await readGivenSecret(flags['secret-file'], await mayBeWeak(paths, flags['allow-weak']));
    const user = await addUser(paths, { ...profile, name: args.name, key });
    const { name } = user;
    const effect = await takeEffect(paths, {
      done: `${name} is added`,
      later: mayConnect(user, Date.now()) ? `${name} can connect once it is started` : `${name} is kept`,
    });
    const warnings = accessWarnings(user, Date.now());
    for (const warning of warnings) this.logToStderr(renderWarning(warning));
    this.log(`Added ${name}. ${effect.sentence}`);
    this.log(`Show the link with: ${this.config.bin} link ${name}`);
    return { user: viewUser(user, Date.now()), effect, warnings };
  }
}

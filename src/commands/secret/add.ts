import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { mayBeWeak } from '../../lib/secret/allow-weak.ts';
import { readGivenSecret } from '../../lib/secret/secret-file.ts';
import { addSecret } from '../../lib/users/secrets.ts';
import { type Effect, takeEffect } from '../../lib/users/take-effect.ts';

export default class SecretAdd extends BaseCommand {
  static override summary = 'Give somebody a secret: a new user, or another secret for one who is there.';

  static override args = {
    name: Args.string({ required: true, description: 'Who it is for: letters, digits and . - _ @' }),
  };

  static override flags = {
    'secret-file': Flags.string({
      summary: 'Take the secret from this file instead of making one; - is standard input.',
      helpValue: 'FILE',
    }),
    'allow-weak': Flags.boolean({ summary: 'Take a secret that is easy to guess.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> bob',
    '<%= config.bin %> <%= command.id %> bob --secret-file old-secret.txt',
  ];

  async run(): Promise<{ name: string; secretId: string; created: boolean; enabled: boolean; effect: Effect }> {
    const { args, flags } = await this.parse(SecretAdd);
    const paths = this.paths(flags);
    const key = await readGivenSecret(flags['secret-file'], await mayBeWeak(paths, flags['allow-weak']));
    const { user, secretId, created } = await addSecret(paths, { name: args.name, key });
    const { name, enabled, secrets } = user;
    const effect = await takeEffect(paths, {
      done: created ? `${name} is added` : `a secret of ${name} is added`,
      later: `${name} can connect once it is started`,
    });
    this.log(
      `${created ? `Added ${name}` : `Added a secret for ${name}, who has ${secrets.length} now`}. ${effect.sentence}`,
    );
    this.log(`Show the link with: ${this.config.bin} link ${name}`);
    return { name, secretId, created, enabled, effect };
  }
}

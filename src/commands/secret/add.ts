import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { readSecretFile } from '../../lib/secret/secret-file.ts';
import { refuseWeak } from '../../lib/secret/weak.ts';
import { addUser } from '../../lib/users/store.ts';
import { type Effect, takeEffect } from '../../lib/users/take-effect.ts';

export default class SecretAdd extends BaseCommand {
  static override summary = 'Add somebody who may connect, with a secret of their own.';

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

  async run(): Promise<{ name: string; createdAt: string; enabled: boolean; effect: Effect }> {
    const { args, flags } = await this.parse(SecretAdd);
    const paths = this.paths(flags);
    const given = flags['secret-file'] === undefined ? undefined : await readSecretFile(flags['secret-file']);
    if (given !== undefined) refuseWeak(given.key, flags['allow-weak']);
    const { name, createdAt, enabled } = await addUser(paths, { name: args.name, key: given?.key });
    const effect = await takeEffect(paths, 'added', name);
    this.log(`Added ${name}. ${effect.sentence}`);
    this.log(`Show the link with: ${this.config.bin} link ${name}`);
    return { name, createdAt, enabled, effect };
  }
}

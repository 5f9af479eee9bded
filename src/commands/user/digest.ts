import { Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { readDigestKey } from '../../lib/users/digest-key.ts';
import { digestAll, digestUsers, type UserDigest } from '../../lib/users/digest.ts';
import { loadUsers } from '../../lib/users/load.ts';

export default class UserDigests extends BaseCommand {
  static override summary = 'Print a hash of all users with their secrets, to compare machines by.';

  static override description =
    'Two machines that print the same under the same key have the same users. Nobody learns a secret from it. ' +
    'With --json there is one for every user. "fleet status" asks other machines for it.';

  static override flags = {
    'key-file': Flags.string({
      required: true,
      helpValue: 'FILE',
      summary: 'File with the key of the hash, 64 hex digits; - is standard input.',
    }),
  };

  static override examples = ['openssl rand -hex 32 | tee key | <%= config.bin %> <%= command.id %> --key-file -'];

  async run(): Promise<{ version: string; digest: string; users: UserDigest[] }> {
    const { flags } = await this.parse(UserDigests);
    const key = await readDigestKey(flags['key-file']);
    const users = digestUsers((await loadUsers(this.paths(flags))).users, key, Date.now());
    const digest = digestAll(users, key);
    this.log(digest);
    return { version: this.config.version, digest, users };
  }
}

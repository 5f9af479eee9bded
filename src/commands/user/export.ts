import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { plural } from '../../lib/ui/format.ts';
import { exportUsers, EXPORT_FORMATS, type Exported } from '../../lib/users/export.ts';

export default class UserExport extends BaseCommand {
  static override summary = 'Write the users out, as "user import" reads them.';

  static override description =
    'Without a file to standard output. Secrets are left out unless they are asked for; then there has to be a file, which nobody else can read.';

  static override args = {
    file: Args.string({ ignoreStdin: true, description: 'New file to write; standard output if not given' }),
  };

  static override flags = {
    format: Flags.option({ options: EXPORT_FORMATS, default: 'csv' as const })({ summary: 'How to write them.' }),
    'with-secrets': Flags.boolean({ summary: 'Write the active secrets, too. Whoever reads the file can connect.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> > users.csv',
    '<%= config.bin %> <%= command.id %> backup.csv --with-secrets',
  ];

  async run(): Promise<Exported> {
    const { args, flags } = await this.parse(UserExport);
    const { format, 'with-secrets': withSecrets } = flags;
    const exported = await exportUsers(this.paths(flags), { file: args.file, format, withSecrets });
    const { file, text, users } = exported;
    if (file === null) this.log('%s', text?.trimEnd());
    else this.log(`Wrote ${plural(users, 'user')} to ${file}, which only its owner can read.`);
    return exported;
  }
}

import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { EXIT } from '../../lib/errors.ts';
import { mayBeWeak } from '../../lib/secret/allow-weak.ts';
import { plural } from '../../lib/ui/format.ts';
import { renderWarning } from '../../lib/ui/warning.ts';
import { describeFaults, type Imported, importRefused, importUsers } from '../../lib/users/import.ts';
import { type Effect, takeEffect } from '../../lib/users/take-effect.ts';

export default class UserImport extends BaseCommand {
  static override summary = 'Add the users of a CSV file.';

  static override description = `Its first line names the columns: name and any of secret, devices, max_networks, quota, quota_from, up, down, expires, tags, note and enabled.
A line that cannot be imported is named, and keeps all others out unless --partial is given. Exit status 2 when some were left out.`;

  static override args = {
    file: Args.string({ required: true, ignoreStdin: true, description: 'CSV file; - is standard input' }),
  };

  static override flags = {
    partial: Flags.boolean({ summary: 'Import the lines that are right, and leave out the others.' }),
    'dry-run': Flags.boolean({ summary: 'Say what would be imported and change nothing.' }),
    'allow-weak': Flags.boolean({ summary: 'Take secrets that are easy to guess.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> users.csv --dry-run',
    '<%= config.bin %> <%= command.id %> users.csv --partial',
  ];

  async run(): Promise<Imported & { dryRun: boolean; effect: Effect | null }> {
    const { args, flags } = await this.parse(UserImport);
    const paths = this.paths(flags);
    const { partial, 'dry-run': dryRun } = flags;
    const allowWeak = await mayBeWeak(paths, flags['allow-weak']);
    const result = await importUsers(paths, args.file, { partial, dryRun, allowWeak });
    const { source, imported, refused, faults, warnings } = result;
    for (const warning of warnings) this.logToStderr(renderWarning(warning));
    for (const line of describeFaults(source, faults)) this.logToStderr('%s', line);
    if (faults.length > 0) process.exitCode = refused ? EXIT.precondition : EXIT.warnings;
    if (refused && !this.jsonEnabled()) throw importRefused(source, faults);
    const users = plural(imported, 'user');
    if (dryRun || imported === 0) {
      this.log(`${dryRun ? `Dry run: ${users} would be imported` : `No user was imported`}; nothing was changed.`);
      return { ...result, dryRun, effect: null };
    }
    const effect = await takeEffect(paths, {
      done: `${users} ${imported === 1 ? 'is' : 'are'} imported`,
      later: 'they can connect once it is started',
    });
    this.log(`Imported ${users}. ${effect.sentence}`);
    return { ...result, dryRun, effect };
  }
}

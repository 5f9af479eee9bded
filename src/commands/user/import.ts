import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { EXIT } from '../../lib/errors.ts';
import { mayBeWeak } from '../../lib/secret/allow-weak.ts';
import { confirm } from '../../lib/ui/prompt.ts';
import { renderWarning } from '../../lib/ui/warning.ts';
import {
  describeFaults,
  describeImport,
  type Imported,
  importRefused,
  importUsers,
  noImport,
} from '../../lib/users/import.ts';
import { type Effect, takeEffect } from '../../lib/users/take-effect.ts';

export default class UserImport extends BaseCommand {
  static override summary = 'Add the users of a CSV file.';

  static override description = `Its first line names the columns: name and any of secret, old_secrets, devices, max_networks, quota, quota_from, up, down, expires, tags, note and enabled.
A line that cannot be imported is named, and keeps all others out unless --partial is given. Exit status 2 when some were left out.`;

  static override args = {
    file: Args.string({ required: true, ignoreStdin: true, description: 'CSV file; - is standard input' }),
  };

  static override flags = {
    partial: Flags.boolean({ summary: 'Import the lines that are right, and leave out the others.' }),
    replace: Flags.boolean({
      summary: 'Make users who are there as their lines say; what the file has no column for stays.',
    }),
    'remove-others': Flags.boolean({
      dependsOn: ['replace'],
      // Who stands on a line that is wrong would be removed.
      exclusive: ['partial'],
      summary: 'The file has everybody: remove who is not in it. Asks, unless --yes is given.',
    }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
    'dry-run': Flags.boolean({ summary: 'Say what would be imported and change nothing.' }),
    'allow-weak': Flags.boolean({ summary: 'Take secrets that are easy to guess.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> users.csv --dry-run',
    '<%= config.bin %> <%= command.id %> users.csv --partial',
    '<%= config.bin %> <%= command.id %> users.csv --replace',
  ];

  async run(): Promise<Imported & { dryRun: boolean; effect: Effect | null }> {
    const { args, flags } = await this.parse(UserImport);
    const paths = this.paths(flags);
    const { partial, replace, 'dry-run': dryRun } = flags;
    const allowWeak = await mayBeWeak(paths, flags['allow-weak']);
    const removeOthers = flags['remove-others'];
    const asks = removeOthers && !dryRun && !flags.yes;
    if (asks && !(await confirm(`Remove everybody who is not in ${args.file}?`, '--yes'))) {
      this.log('Nothing was changed.');
      return { ...noImport(args.file), dryRun, effect: null };
    }
    const options = { partial, dryRun, allowWeak, replace, removeOthers };
    const result = await importUsers(paths, args.file, options);
    const { source, refused, faults, warnings } = result;
    for (const warning of warnings) this.logToStderr(renderWarning(warning));
    for (const line of describeFaults(source, faults)) this.logToStderr('%s', line);
    if (faults.length > 0) process.exitCode = refused ? EXIT.precondition : EXIT.warnings;
    if (refused && !this.jsonEnabled()) throw importRefused(source, faults);
    const { would, did } = describeImport(result);
    if (dryRun || did === '') {
      this.log(`${dryRun ? `Dry run: ${would}` : 'No user was imported'}; nothing was changed.`);
      return { ...result, dryRun, effect: null };
    }
    const effect = await takeEffect(paths, { done: 'the import is kept', later: 'it counts once one is started' });
    this.log(`${did}. ${effect.sentence}`);
    return { ...result, dryRun, effect };
  }
}

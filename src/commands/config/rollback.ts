import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { formatDiff } from '../../lib/config/diff.ts';
import { rollBack, type RolledBack } from '../../lib/config/roll-back.ts';
import { describeReload } from '../../lib/service/reload.ts';
import { confirm } from '../../lib/ui/prompt.ts';

export default class ConfigRollback extends BaseCommand {
  static override summary = 'Put back a configuration that was in force, and have a running proxy serve it.';
  static override description =
    'Without a revision it is the one before the current. Users and secrets are not touched. Where the running proxy does not take it, the file is as before.';

  static override args = {
    revision: Args.string({ description: 'Beginning of a revision or #NUMBER, as in the history' }),
  };

  static override flags = {
    'dry-run': Flags.boolean({ default: false, summary: 'Show what would change and change nothing.' }),
    'hand-over': Flags.boolean({
      allowNo: true,
      exclusive: ['yes'],
      summary: 'Replace the engine where a setting needs that, or leave such settings for later.',
    }),
    yes: Flags.boolean({ char: 'y', default: false, summary: 'Do not ask before the engine is replaced.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    "<%= config.bin %> <%= command.id %> '#3' --dry-run",
  ];

  async run(): Promise<RolledBack> {
    const { args, flags } = await this.parse(ConfigRollback);
    const done = await rollBack(this.paths(flags), args.revision, {
      dryRun: flags['dry-run'],
      handOver: flags.yes ? true : flags['hand-over'],
      ask: async (keys) => confirm(`Replace the engine for ${keys.join(', ')} now?`, '--yes'),
    });
    for (const line of formatDiff(done.diff)) this.log('%s', line);
    if (!done.changed) this.log('%s says so already.', done.file);
    else if (done.dryRun) this.log('Dry run: nothing was changed.');
    else this.log('%s is as it was in #%d, revision %s.', done.file, done.number, done.revision.slice(0, 12));
    for (const line of done.reloaded === null ? [] : describeReload(done.reloaded)) this.log('%s', line);
    return done;
  }
}

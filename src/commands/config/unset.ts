import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { changeConfig, type ConfigChange } from '../../lib/config/change.ts';
import { formatDiff } from '../../lib/config/diff.ts';
import { type ConfigEffect, describeEffect, takeEffect } from '../../lib/config/effect.ts';
import { requireSetting } from '../../lib/config/key.ts';

export default class ConfigUnset extends BaseCommand {
  static override summary = 'Take a setting out of the configuration file, so that its default counts.';
  static override description =
    'Its line goes, everything else in the file stays as it is. A running proxy takes the change over at once.';

  static override args = {
    key: Args.string({ required: true, description: 'Setting, such as listen.port' }),
  };

  static override flags = {
    'dry-run': Flags.boolean({ default: false, summary: 'Show what would change and change nothing.' }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %> limits.per_source'];

  async run(): Promise<ConfigChange & { key: string; dryRun: boolean; effect: ConfigEffect | null }> {
    const { args, flags } = await this.parse(ConfigUnset);
    const dryRun = flags['dry-run'];
    const { key } = requireSetting(args.key);
    const paths = this.paths(flags);
    const change = await changeConfig(paths.configFile, [{ key, value: undefined }], { dryRun });
    for (const line of formatDiff(change.diff)) this.log('%s', line);
    if (dryRun || !change.changed) {
      this.log(change.changed ? 'Dry run: nothing was changed.' : `${change.file} does not set ${key}.`);
      return { key, dryRun, ...change, effect: null };
    }
    const effect = await takeEffect(paths, [key], process.env);
    this.log([`Wrote ${change.file}.`, ...describeEffect(effect)].join('\n'));
    return { key, dryRun, ...change, effect };
  }
}

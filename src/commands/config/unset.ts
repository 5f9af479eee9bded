import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { type Applied, applyEdits, describeApplied } from '../../lib/config/apply.ts';
import { requireSetting } from '../../lib/config/key.ts';

export default class ConfigUnset extends BaseCommand {
  static override summary = 'Take a setting out of the configuration file, so that its default counts.';
  static override description =
    'Its line goes, everything else in the file stays as it is. A running proxy takes the change over at once, or says what has to wait for its next start.';

  static override args = {
    key: Args.string({ required: true, description: 'Setting, such as listen.port' }),
  };

  static override flags = {
    'dry-run': Flags.boolean({ default: false, summary: 'Show what would change and change nothing.' }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %> limits.per_source'];

  async run(): Promise<Applied & { key: string }> {
    const { args, flags } = await this.parse(ConfigUnset);
    const { key } = requireSetting(args.key);
    const applied = await applyEdits(this.paths(flags), [{ key, value: undefined }], {
      dryRun: flags['dry-run'],
      env: process.env,
    });
    for (const line of describeApplied(applied, `${applied.file} does not set ${key}.`)) this.log('%s', line);
    return { key, ...applied };
  }
}

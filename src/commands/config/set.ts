import { Args, Flags } from '@oclif/core';
import { text } from 'node:stream/consumers';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { changeConfig, type ConfigChange } from '../../lib/config/change.ts';
import { formatDiff } from '../../lib/config/diff.ts';
import { type ConfigEffect, describeEffect, takeEffect } from '../../lib/config/effect.ts';
import { requireSetting, valueFromArgument } from '../../lib/config/key.ts';
import { valueFromText } from '../../lib/config/settings.ts';

export default class ConfigSet extends BaseCommand {
  static override summary = 'Change a setting in the configuration file.';
  static override description =
    'Comments, order and the rest of the file stay as they are. A value that is not allowed changes nothing. A running proxy takes the change over at once.';

  static override args = {
    key: Args.string({ required: true, description: 'Setting, such as listen.port' }),
    value: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'Value; lists are separated by commas; - reads it from standard input',
    }),
  };

  static override flags = {
    'dry-run': Flags.boolean({ default: false, summary: 'Show what would change and change nothing.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> listen.port 8443',
    '<%= config.bin %> <%= command.id %> protocol.modes ee,dd',
    '<%= config.bin %> <%= command.id %> upstream.socks5 - < socks5.txt',
  ];

  async run(): Promise<ConfigChange & { key: string; dryRun: boolean; effect: ConfigEffect | null }> {
    const { args, flags } = await this.parse(ConfigSet);
    const dryRun = flags['dry-run'];
    const setting = requireSetting(args.key);
    const { key } = setting;
    const value =
      args.value === '-'
        ? valueFromText(setting, (await text(process.stdin)).trim())
        : valueFromArgument(setting, args.value);
    const paths = this.paths(flags);
    const change = await changeConfig(paths.configFile, [{ key, value }], { dryRun });
    for (const line of formatDiff(change.diff)) this.log('%s', line);
    if (dryRun || !change.changed) {
      this.log(change.changed ? 'Dry run: nothing was changed.' : `${change.file} says so already.`);
      return { key, dryRun, ...change, effect: null };
    }
    const effect = await takeEffect(paths, [key], process.env);
    this.log([`Wrote ${change.file}.`, ...describeEffect(effect)].join('\n'));
    return { key, dryRun, ...change, effect };
  }
}

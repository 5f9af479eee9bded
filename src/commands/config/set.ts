import { Args, Flags } from '@oclif/core';
import { text } from 'node:stream/consumers';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { type Applied, applyEdits, describeApplied } from '../../lib/config/apply.ts';
import { requireSetting, valueFromArgument } from '../../lib/config/key.ts';
import { valueFromText } from '../../lib/config/settings.ts';

export default class ConfigSet extends BaseCommand {
  static override summary = 'Change a setting in the configuration file.';
  static override description =
    'Comments, order and the rest of the file stay as they are. A value that is not allowed changes nothing. A running proxy takes the change over at once, or says what has to wait for its next start.';

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

  async run(): Promise<Applied & { key: string }> {
    const { args, flags } = await this.parse(ConfigSet);
    const setting = requireSetting(args.key);
    const { key } = setting;
    const value =
      args.value === '-'
        ? valueFromText(setting, (await text(process.stdin)).trim())
        : valueFromArgument(setting, args.value);
    const applied = await applyEdits(this.paths(flags), [{ key, value }], {
      dryRun: flags['dry-run'],
      env: process.env,
    });
    for (const line of describeApplied(applied, `${applied.file} says so already.`)) this.log('%s', line);
    return { key, ...applied };
  }
}

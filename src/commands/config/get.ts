import { Args } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import type { Origin } from '../../lib/config/evaluate.ts';
import { requireSetting } from '../../lib/config/key.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { valueToText } from '../../lib/config/settings.ts';

export default class ConfigGet extends BaseCommand {
  static override summary = 'Print the value of a setting.';
  static override description = 'Prints the value alone, for scripts; an empty line when the setting has none.';

  static override args = {
    key: Args.string({ required: true, description: 'Setting, such as listen.port' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> listen.port',
    '<%= config.bin %> <%= command.id %> telegram.dc.2 --json',
  ];

  async run(): Promise<{ key: string; value: unknown; origin: Origin['origin']; where: string | null }> {
    const { args, flags } = await this.parse(ConfigGet);
    const { key } = requireSetting(args.key);
    const { origins } = await loadConfig({ file: this.paths(flags).configFile, env: process.env });
    const { value, origin, where } = origins[key] ?? { value: undefined, origin: 'default', where: '' };
    this.log('%s', valueToText(value));
    return { key, value: value ?? null, origin, where: where === '' ? null : where };
  }
}

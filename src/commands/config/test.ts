import { Args } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { checkConfig, type Check } from '../../lib/config/check.ts';
import { invalidConfig } from '../../lib/config/load.ts';
import { EXIT } from '../../lib/errors.ts';

export default class ConfigTest extends BaseCommand {
  static override summary = 'Check the configuration and report everything that is wrong with it.';
  static override description =
    'Reads the file and the MTP_* variables as a start would. Exit status 0 when all is well, 5 when something is not.';

  static override args = {
    file: Args.string({ description: 'File to check in place of the configuration file' }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> new.toml'];

  async run(): Promise<Check> {
    const { args, flags } = await this.parse(ConfigTest);
    const check = await checkConfig(args.file ?? this.paths(flags).configFile, process.env, {
      mustExist: args.file !== undefined,
    });
    if (!check.ok) {
      if (!this.jsonEnabled()) throw invalidConfig(check.problems);
      process.exitCode = EXIT.precondition;
      return check;
    }
    const { file, exists, counts } = check;
    this.log(`${file}: ${exists ? 'valid' : 'does not exist; the defaults are valid'}`);
    this.log(`Settings from the file: ${counts.file}, from variables: ${counts.env}, by default: ${counts.default}`);
    return check;
  }
}

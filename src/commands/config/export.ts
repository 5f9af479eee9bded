import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { exportConfig, type ExportedConfig } from '../../lib/config/export.ts';
import { plural } from '../../lib/ui/format.ts';

export default class ConfigExport extends BaseCommand {
  static override summary = 'Write the settings out, as "config import" reads them.';

  static override description =
    'Settings that mtg has too get its keys (MTG_*, SERVER_HOST), all others those of mtp (MTP_*). Defaults are left out, and so are secrets unless they are asked for; then there has to be a file, which nobody else can read.';

  static override args = {
    file: Args.string({ ignoreStdin: true, description: 'New file to write; standard output if not given' }),
  };

  static override flags = {
    env: Flags.boolean({ required: true, summary: 'As a .env file.' }),
    secrets: Flags.boolean({ summary: 'With passwords and the secret of the first user.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> --env',
    '<%= config.bin %> <%= command.id %> --env proxy.env --secrets',
  ];

  async run(): Promise<ExportedConfig> {
    const { args, flags } = await this.parse(ConfigExport);
    const exported = await exportConfig(this.paths(flags), {
      file: args.file,
      withSecrets: flags.secrets,
      env: process.env,
    });
    const { file, text, settings, notes } = exported;
    if (file === null) process.stdout.write(this.jsonEnabled() ? '' : (text ?? ''));
    else this.log(`Wrote ${plural(settings, 'setting')} to ${file}, which only its owner can read.`);
    for (const note of notes) this.logToStderr('%s', note);
    return exported;
  }
}

import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { type Applied, applyEdits, describeApplied } from '../../lib/config/apply.ts';
import { type ImportNote, type ImportPlan, planImport } from '../../lib/config/import.ts';
import { renderWarning } from '../../lib/ui/warning.ts';

type Imported = Applied & Pick<ImportPlan, 'secrets' | 'dropped' | 'warnings'> & { source: string };

export default class ConfigImport extends BaseCommand {
  static override summary = 'Take over the settings of an mtg proxy, or of a file that "config export" wrote.';
  static override description =
    'Reads a .env file with MTG_* and MTP_* keys, or the TOML file of mtg. What has no counterpart is named. Secrets are not imported and not printed; the command that imports them is.';

  static override args = {
    file: Args.string({ required: true, description: 'File to import; TOML when its name ends in .toml' }),
  };

  static override flags = {
    'dry-run': Flags.boolean({ default: false, summary: 'Show what would change and change nothing.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> .env --dry-run',
    '<%= config.bin %> <%= command.id %> /etc/mtg.toml',
  ];

  async run(): Promise<Imported> {
    const { args, flags } = await this.parse(ConfigImport);
    const { file: source, edits, secrets, dropped, warnings } = await planImport(args.file);
    const applied = await applyEdits(this.paths(flags), edits, { dryRun: flags['dry-run'], env: process.env });
    const notes = [
      ...secrets.map((note) => sentence(source, note)),
      ...dropped.map((note) => `${sentence(source, note)} (no counterpart)`),
    ];
    for (const note of warnings) this.logToStderr(renderWarning(sentence(source, note)));
    for (const line of describeApplied(applied, `Nothing to change in ${applied.file}.`, notes)) this.log('%s', line);
    return { source, ...applied, secrets, dropped, warnings };
  }
}

function sentence(source: string, { line, key, message }: ImportNote): string {
  return [`${source}:${line}`, key, message].filter((part) => part !== '').join(': ');
}

import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { changeConfig, type ConfigChange } from '../../lib/config/change.ts';
import { formatDiff } from '../../lib/config/diff.ts';
import { type ConfigEffect, describeEffect, takeEffect } from '../../lib/config/effect.ts';
import { type ImportNote, type ImportPlan, planImport } from '../../lib/config/import.ts';
import { renderWarning } from '../../lib/ui/warning.ts';

type Imported = ConfigChange &
  Pick<ImportPlan, 'secrets' | 'dropped' | 'warnings'> & {
    source: string;
    dryRun: boolean;
    effect: ConfigEffect | null;
  };

export default class ConfigImport extends BaseCommand {
  static override summary = 'Take over the settings of an mtg proxy.';
  static override description =
    'Reads a .env file with MTG_* keys or the TOML file of mtg. What has no counterpart is named. Secrets are not imported and not printed; the command that imports them is.';

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
    const dryRun = flags['dry-run'];
    const paths = this.paths(flags);
    const { file: source, edits, secrets, dropped, warnings } = await planImport(args.file);
    const change = await changeConfig(paths.configFile, edits, { dryRun });
    for (const line of formatDiff(change.diff)) this.log('%s', line);
    for (const note of secrets) this.log('%s', sentence(source, note));
    for (const note of dropped) this.log('%s', `${sentence(source, note)} (no counterpart)`);
    for (const note of warnings) this.logToStderr(renderWarning(sentence(source, note)));
    const result = { source, dryRun, ...change, secrets, dropped, warnings };
    if (dryRun || !change.changed) {
      this.log(change.changed ? 'Dry run: nothing was changed.' : `Nothing to change in ${change.file}.`);
      return { ...result, effect: null };
    }
    const effect = await takeEffect(
      paths,
      edits.map(({ key }) => key),
      process.env,
    );
    this.log([`Wrote ${change.file}.`, ...describeEffect(effect)].join('\n'));
    return { ...result, effect };
  }
}

function sentence(source: string, { line, key, message }: ImportNote): string {
  return [`${source}:${line}`, key, message].filter((part) => part !== '').join(': ');
}

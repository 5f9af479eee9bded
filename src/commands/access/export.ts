import { Args } from '@oclif/core';
import { type ExportedRules, exportRules } from '../../lib/access/rule-file.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { plural } from '../../lib/ui/format.ts';

export default class AccessExport extends BaseCommand {
  static override summary = 'Write the rules out as CSV, as "access import" reads them.';
  static override description = 'Without a file to standard output. Feeds and countries are not in it.';

  static override args = {
    file: Args.string({ ignoreStdin: true, description: 'New file to write; standard output if not given' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> > rules.csv',
    '<%= config.bin %> <%= command.id %> rules.csv',
  ];

  async run(): Promise<ExportedRules> {
    const { args, flags } = await this.parse(AccessExport);
    const exported = await exportRules(this.paths(flags), args.file);
    const { file, text, rules } = exported;
    if (file === null) this.log('%s', text?.trimEnd());
    else this.log(`Wrote ${plural(rules, 'rule')} to ${file}.`);
    return exported;
  }
}

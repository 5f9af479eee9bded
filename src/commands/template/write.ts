import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { templateFlags } from '../../lib/cli/template-flags.ts';
import { writeNamed } from '../../lib/template/catalogue.ts';
import { optionsHere } from '../../lib/template/options.ts';

export default class TemplateWrite extends BaseCommand {
  static override summary = 'Write the files of a template into a directory.';

  static override args = { name: Args.string({ required: true, description: 'One of those that "list" names' }) };

  static override flags = {
    ...templateFlags,
    out: Flags.string({ default: '.', helpValue: 'DIR', summary: 'Directory to write to; it is made where needed.' }),
    force: Flags.boolean({ summary: 'Replace files that are there and say something else.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> docker --out deploy',
    '<%= config.bin %> <%= command.id %> kubernetes --memory 512M',
  ];

  async run(): Promise<{ files: string[] }> {
    const { args, flags } = await this.parse(TemplateWrite);
    const options = await optionsHere(this.paths(flags), flags);
    const files = await writeNamed(args.name, options, { dir: flags.out, force: flags.force });
    for (const file of files) this.log('Wrote %s', file);
    return { files };
  }
}

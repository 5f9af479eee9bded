import { Args } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { templateFlags } from '../../lib/cli/template-flags.ts';
import { type Rendered, renderNamed } from '../../lib/template/catalogue.ts';
import { optionsHere } from '../../lib/template/options.ts';

export default class TemplateShow extends BaseCommand {
  static override summary = 'Print a template with the values of this machine filled in.';

  static override args = { name: Args.string({ required: true, description: 'One of those that "list" names' }) };

  static override flags = templateFlags;

  static override examples = [
    '<%= config.bin %> <%= command.id %> systemd',
    '<%= config.bin %> <%= command.id %> docker --cpus 2 --memory 1G',
  ];

  async run(): Promise<Rendered[]> {
    const { args, flags } = await this.parse(TemplateShow);
    const files = await renderNamed(args.name, await optionsHere(this.paths(flags), flags));
    for (const { file, text } of files) this.log('%s', files.length > 1 ? `# ==> ${file}\n${text}` : text.trimEnd());
    return files;
  }
}

import { BaseCommand } from '../../lib/cli/base-command.ts';
import { TEMPLATES } from '../../lib/template/catalogue.ts';
import { formatTable } from '../../lib/ui/table.ts';

export default class TemplateList extends BaseCommand {
  static override summary = 'List the files that mtp can make for a server, a container or a cluster.';

  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async run(): Promise<{ name: string; summary: string; files: string[] }[]> {
    await this.parse(TemplateList);
    const list = TEMPLATES.map(({ name, summary, files }) => ({
      name,
      summary,
      files: files.map(({ target }) => target),
    }));
    for (const line of formatTable(
      ['NAME', 'WHAT IT IS'],
      list.map(({ name, summary }) => [name, summary]),
    ))
      this.log(line);
    return list;
  }
}

import { Args } from '@oclif/core';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { type Explanation, explain, TROUBLESHOOTING } from '../lib/explain/explain.ts';
import { PAGES } from '../lib/explain/pages.ts';
import { formatTable } from '../lib/ui/table.ts';
import { wrap } from '../lib/ui/wrap.ts';

export default class Explain extends BaseCommand {
  static override summary = 'Say what an error means, how it comes about, and what to do.';

  static override description = 'Without a code: what to look at when something does not work, and all codes.';

  static override args = {
    code: Args.string({ description: 'Code of the error, as --json shows it' }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> NOT_STARTED'];

  async run(): Promise<Explanation | { look: typeof TROUBLESHOOTING; codes: string[] }> {
    const { args } = await this.parse(Explain);
    if (args.code === undefined) return this.list();
    const page = explain(args.code);
    for (const text of [page.code, page.means, page.why, page.todo]) this.log('%s', wrap(text, process.stdout.columns));
    return page;
  }

  private list(): { look: typeof TROUBLESHOOTING; codes: string[] } {
    const steps = TROUBLESHOOTING.map(({ look, for: why }) => [look, why]);
    for (const line of formatTable(['LOOK AT', 'FOR'], steps)) this.log('%s', line);
    this.log('');
    const codes = Object.entries(PAGES).map(([code, { means }]) => [code, means]);
    for (const line of formatTable(['CODE', 'MEANS'], codes)) this.log('%s', line);
    return { look: TROUBLESHOOTING, codes: Object.keys(PAGES) };
  }
}

import { RULE_HEADERS, ruleRow, type RuleView, viewRule } from '../../lib/access/describe.ts';
import { listAccess } from '../../lib/access/load.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { plural } from '../../lib/ui/format.ts';
import { formatTable } from '../../lib/ui/table.ts';

export default class AccessList extends BaseCommand {
  static override summary = 'List the rules about networks that were written by hand.';

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<{ rules: RuleView[]; feeds: number; countries: number }> {
    const { flags } = await this.parse(AccessList);
    const now = Date.now();
    const { rules, feeds, policy } = await listAccess(this.paths(flags));
    if (rules.length === 0)
      this.log(`No access rules yet. Add one with: ${this.config.bin} access add NETWORK --level NONE`);
    else
      for (const line of formatTable(
        RULE_HEADERS,
        rules.map((rule) => ruleRow(rule, now)),
      ))
        this.log('%s', line);
    if (feeds.length > 0)
      this.log(
        `Besides, there ${feeds.length === 1 ? 'is' : 'are'} ${plural(feeds.length, 'feed')}: ${this.config.bin} access feed list`,
      );
    if (policy !== null) this.log(`Countries are told apart, too: ${this.config.bin} geo list`);
    return {
      rules: rules.map((rule) => viewRule(rule, now)),
      feeds: feeds.length,
      countries: policy?.countries.length ?? 0,
    };
  }
}

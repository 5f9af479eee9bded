import { Args } from '@oclif/core';
import { RULE_HEADERS, ruleRow, type RuleView, viewRule } from '../../lib/access/describe.ts';
import { type GuardEffect, notifyGuard } from '../../lib/access/notify.ts';
import { goesOn, ownHits } from '../../lib/access/own-hits.ts';
import { readNamed } from '../../lib/access/rule-wish.ts';
import { findRules, removeRules } from '../../lib/access/store.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { changeFlags } from '../../lib/cli/rule-flags.ts';
import { plural } from '../../lib/ui/format.ts';
import { confirm } from '../../lib/ui/prompt.ts';
import { formatTable } from '../../lib/ui/table.ts';
import { renderWarning } from '../../lib/ui/warning.ts';

export default class AccessRemove extends BaseCommand {
  static override summary = 'Remove rules, by their number or all of a network.';

  static override args = {
    rule: Args.string({ required: true, description: 'Number in "access list", or a network' }),
  };

  static override flags = { ...changeFlags };

  static override examples = [
    '<%= config.bin %> <%= command.id %> 3',
    '<%= config.bin %> <%= command.id %> 198.51.100.0/24 --yes',
  ];

  async run(): Promise<{ rules: RuleView[]; removed: boolean; effect: GuardEffect | null }> {
    const { args, flags } = await this.parse(AccessRemove);
    const paths = this.paths(flags);
    const now = Date.now();
    const found = await findRules(paths, readNamed(args.rule));
    const ids = found.map(({ id }) => id);
    const rules = found.map((rule) => viewRule(rule, now));
    for (const line of formatTable(
      RULE_HEADERS,
      found.map((rule) => ruleRow(rule, now)),
    ))
      this.log('%s', line);
    const hits = await ownHits(
      paths,
      (access) => ({ ...access, rules: access.rules.filter(({ id }) => !ids.includes(id)) }),
      now,
    );
    const [yes, warn] = [flags.yes || flags['dry-run'], (text: string) => this.logToStderr(renderWarning(text))];
    const wanted = hits.length > 0 || yes || (await confirm(`Remove ${plural(ids.length, 'rule')}?`, '--yes'));
    if (!wanted || !(await goesOn(hits, { yes, warn })) || flags['dry-run']) {
      this.log('Nothing was changed.');
      return { rules, removed: false, effect: null };
    }
    await removeRules(paths, ids);
    const effect = await notifyGuard(paths, 'The rules are removed');
    this.log(`Removed ${plural(ids.length, 'rule')}. ${effect.sentence}`);
    return { rules, removed: true, effect };
  }
}

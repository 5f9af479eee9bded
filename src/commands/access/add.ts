import { Args } from '@oclif/core';
import { describePlanned, type RuleView, viewRule } from '../../lib/access/describe.ts';
import { type GuardEffect, notifyGuard } from '../../lib/access/notify.ts';
import { goesOn, hitsOfRules, type OwnAddress } from '../../lib/access/own-hits.ts';
import { readNetworks, readRuleWish } from '../../lib/access/rule-wish.ts';
import { keepRules, planRules } from '../../lib/access/store.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { changeFlags, ruleFlags } from '../../lib/cli/rule-flags.ts';
import { renderWarning } from '../../lib/ui/warning.ts';

export default class AccessAdd extends BaseCommand {
  static override summary = 'Say what a network is let do.';
  static override description =
    'Clients from a network with a level below STANDARD are shown the cover, whatever secret they have. Of networks that lie in one another, the most specific counts. A rule that is there already is given the new end and reason.';

  static override args = {
    network: Args.string({ required: true, description: 'Address, network such as 192.0.2.0/24, or range a-b' }),
  };

  static override flags = { ...ruleFlags, ...changeFlags };

  static override examples = [
    '<%= config.bin %> <%= command.id %> 198.51.100.0/24 --level NONE --reason "scans all night"',
    '<%= config.bin %> <%= command.id %> 198.51.100.7 --level STANDARD --for 2h',
    '<%= config.bin %> <%= command.id %> 2001:db8::/32 --level NONE --window "sat,sun 22:00-06:00" --zone Europe/Berlin',
    '<%= config.bin %> <%= command.id %> 203.0.113.5-203.0.113.9 --level NONE --mode observe --dry-run',
  ];

  async run(): Promise<{ rules: RuleView[]; hits: OwnAddress[]; changed: number; effect: GuardEffect | null }> {
    const { args, flags } = await this.parse(AccessAdd);
    const paths = this.paths(flags);
    const now = Date.now();
    const words = readRuleWish(flags, now);
    const wishes = readNetworks(args.network).map((prefix) => ({ ...words, prefix }));
    const planned = await planRules(paths, wishes, now);
    const hits = await hitsOfRules(paths, wishes, now);
    const [yes, warn] = [flags.yes || flags['dry-run'], (text: string) => this.logToStderr(renderWarning(text))];
    if (!(await goesOn(hits, { yes, warn })) || flags['dry-run']) {
      if (flags['dry-run']) for (const line of describePlanned(planned)) this.log('%s', line);
      this.log('Nothing was changed.');
      return {
        rules: planned.map(({ rule, id }) => viewRule({ id: id ?? 0, ...rule }, now)),
        hits,
        changed: 0,
        effect: null,
      };
    }
    const kept = await keepRules(paths, wishes, now);
    for (const line of describePlanned(kept.planned)) this.log('%s', line);
    const effect = await notifyGuard(paths, 'The rule is kept');
    this.log(effect.sentence);
    const changed = kept.planned.filter(({ action }) => action !== 'same').length;
    return { rules: kept.rules.map((rule) => viewRule(rule, now)), hits, changed, effect };
  }
}

import { keepCountries, requirePolicy } from '../../lib/access/countries.ts';
import { type PolicyView, viewPolicy } from '../../lib/access/describe.ts';
import { type GuardEffect, notifyGuard } from '../../lib/access/notify.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { changeFlags } from '../../lib/cli/rule-flags.ts';
import { confirm } from '../../lib/ui/prompt.ts';

export default class GeoClear extends BaseCommand {
  static override summary = 'Let in all countries again.';

  static override flags = { ...changeFlags };

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --yes'];

  async run(): Promise<{ before: PolicyView; cleared: boolean; effect: GuardEffect | null }> {
    const { flags } = await this.parse(GeoClear);
    const paths = this.paths(flags);
    const before = viewPolicy(await requirePolicy(paths));
    const wanted = flags.yes || flags['dry-run'] || (await confirm('Let in all countries again?', '--yes'));
    if (!wanted || flags['dry-run']) {
      this.log('Nothing was changed.');
      return { before, cleared: false, effect: null };
    }
    await keepCountries(paths, null);
    const effect = await notifyGuard(paths, 'Countries are let in again');
    this.log(`Nothing is said of countries any more. ${effect.sentence}`);
    return { before, cleared: true, effect };
  }
}

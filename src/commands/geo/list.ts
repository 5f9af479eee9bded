import { type CountriesView, viewCountries } from '../../lib/access/countries.ts';
import { describeCountries, type PolicyView, viewPolicy } from '../../lib/access/describe.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { renderWarning } from '../../lib/ui/warning.ts';

export default class GeoList extends BaseCommand {
  static override summary = 'Show which countries are kept out or let in, and by which database.';

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<Omit<CountriesView, 'policy'> & { policy: PolicyView | null }> {
    const { flags } = await this.parse(GeoList);
    const view = await viewCountries(this.paths(flags));
    for (const warning of view.warnings) this.logToStderr(renderWarning(warning));
    for (const line of describeCountries(view, Date.now())) this.log('%s', line);
    return { ...view, policy: view.policy && viewPolicy(view.policy) };
  }
}

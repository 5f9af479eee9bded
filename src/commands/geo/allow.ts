import { countryArgs, CountryCommand, countryFlags, type ChangedCountries } from '../../lib/cli/country-command.ts';

export default class GeoAllow extends CountryCommand {
  static override summary = 'Let countries in that were kept out, or with --mode only nobody but them.';
  static override description = 'Rules and feeds about networks go before what is said of countries.';
  static override strict = false;
  static override args = countryArgs;
  static override flags = countryFlags;

  static override examples = [
    '<%= config.bin %> <%= command.id %> CN',
    '<%= config.bin %> <%= command.id %> DE AT CH --mode only --database /var/lib/GeoIP/GeoLite2-Country.mmdb',
  ];

  async run(): Promise<ChangedCountries> {
    const { argv, flags } = await this.parse(GeoAllow);
    const { mode: kind, unknown, observe, database } = flags;
    return this.decide({ verb: 'allow', codes: argv.map(String), kind, unknown, observe, database }, flags);
  }
}

import { countryArgs, CountryCommand, countryFlags, type ChangedCountries } from '../../lib/cli/country-command.ts';

export default class GeoBlock extends CountryCommand {
  static override summary = 'Keep countries out: their clients are shown the cover, whatever secret they have.';
  static override description = 'Where only some countries are let in, these are no more.';
  static override strict = false;
  static override args = countryArgs;
  static override flags = countryFlags;

  static override examples = [
    '<%= config.bin %> <%= command.id %> CN --database /var/lib/GeoIP/GeoLite2-Country.mmdb',
    '<%= config.bin %> <%= command.id %> CN RU --unknown block --dry-run',
    '<%= config.bin %> <%= command.id %> US --observe --yes',
  ];

  async run(): Promise<ChangedCountries> {
    const { argv, flags } = await this.parse(GeoBlock);
    const { mode: kind, unknown, observe, database } = flags;
    return this.decide({ verb: 'block', codes: argv.map(String), kind, unknown, observe, database }, flags);
  }
}

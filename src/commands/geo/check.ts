import { Args, Flags } from '@oclif/core';
import { type CountryOf, countryOfAddress } from '../../lib/access/check.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';

export default class GeoCheck extends BaseCommand {
  static override summary = 'Say which country an address is in, and whether that country is let in.';
  static override description =
    'Rules and feeds may say otherwise of the address: "access check" looks at all of them.';

  static override args = {
    address: Args.string({ required: true, description: 'IPv4 or IPv6 address' }),
  };

  static override flags = {
    database: Flags.string({
      summary: 'Look into this database (.mmdb) instead of the one in use.',
      helpValue: 'FILE',
    }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> 198.51.100.7',
    '<%= config.bin %> <%= command.id %> 2001:db8::1 --database new.mmdb',
  ];

  async run(): Promise<CountryOf> {
    const { args, flags } = await this.parse(GeoCheck);
    const found = await countryOfAddress(this.paths(flags), args.address, flags.database);
    this.log('%s', found.sentence);
    return found;
  }
}

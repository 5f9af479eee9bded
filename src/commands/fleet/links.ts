import { Args } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { EXIT } from '../../lib/errors.ts';
import { fleetLinks, type HostLink } from '../../lib/fleet/links.ts';
import { renderWarning } from '../../lib/ui/warning.ts';

export default class FleetLinks extends BaseCommand {
  static override summary = 'Print the links of a user, one for every machine.';

  static override description =
    'Each host has an address, a port and a cover of its own, and says itself what its link is. Exit status 1 where one did not.';

  static override args = {
    name: Args.string({ required: true, description: 'Whose links to print' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> bob',
    '<%= config.bin %> <%= command.id %> bob --json',
  ];

  async run(): Promise<{ name: string; hosts: HostLink[] }> {
    const { args, flags } = await this.parse(FleetLinks);
    const hosts = await fleetLinks(this.paths(flags), args.name);
    for (const { host, link, error } of hosts) {
      if (link !== null) this.log('%s\n  %s', host, link.tg);
      for (const warning of link?.warnings ?? []) this.logToStderr(renderWarning(`${host}: ${warning}`));
      if (error !== null) this.logToStderr(renderWarning(error));
    }
    if (hosts.some(({ link }) => link === null)) process.exitCode = EXIT.failed;
    return { name: args.name, hosts };
  }
}

import { BaseCommand } from '../../lib/cli/base-command.ts';
import { type Host, readFleet } from '../../lib/fleet/hosts.ts';
import { formatDay } from '../../lib/ui/format.ts';
import { formatTable } from '../../lib/ui/table.ts';

export default class FleetList extends BaseCommand {
  static override summary = 'List the other machines, without asking them anything.';

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<{ hosts: Host[] }> {
    const { flags } = await this.parse(FleetList);
    const { hosts } = await readFleet(this.paths(flags));
    if (hosts.length === 0) this.log(`No other host yet. Add one with: ${this.config.bin} fleet add HOST`);
    else {
      const rows = hosts.map((host) => [
        host.name,
        host.port === null ? host.destination : `${host.destination}, port ${host.port}`,
        host.address ?? '-',
        formatDay(Date.parse(host.addedAt)),
      ]);
      for (const line of formatTable(['HOST', 'SSH', 'IN LINKS', 'ADDED'], rows)) this.log('%s', line);
    }
    return { hosts };
  }
}

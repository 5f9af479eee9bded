import { Args } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { statusLines } from '../../lib/fleet/describe.ts';
import { type FleetStatus, fleetStatus } from '../../lib/fleet/status.ts';
import { paint } from '../../lib/ui/paint.ts';

export default class FleetStatusCommand extends BaseCommand {
  static override summary = 'Show of every machine what it runs, and whether its users are those of this one.';

  static override description =
    'Users are compared by keyed hashes; no secret is shown. Exit status 1 where a host was not reached, 2 where users differ.';

  static override args = {
    host: Args.string({ description: 'One of them; all if not given' }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> fra --json'];

  async run(): Promise<FleetStatus> {
    const { args, flags } = await this.parse(FleetStatusCommand);
    const names = args.host === undefined ? [] : [args.host];
    const status = await fleetStatus(this.paths(flags), names, this.config.version);
    for (const line of statusLines(status.hosts, status.rotations, paint(process.stdout))) this.log('%s', line);
    process.exitCode = status.exit;
    return status;
  }
}

import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { describeDifferences, outcomeLines } from '../../lib/fleet/describe.ts';
import { chooseHosts, type Host, readFleet } from '../../lib/fleet/hosts.ts';
import { lookAtAll, ourUsers } from '../../lib/fleet/look.ts';
import { exitOf, type HostOutcome, syncHost, tellLook } from '../../lib/fleet/sync.ts';
import { paint } from '../../lib/ui/paint.ts';
import { confirm } from '../../lib/ui/prompt.ts';
import { shownStep, silentStep } from '../../lib/ui/steps.ts';

export default class FleetSync extends BaseCommand {
  static override summary = 'Make the users of other machines those of this one.';

  static override description =
    'Only what differs is written, in one step on each host, and its proxy shows it by handshakes. It asks before anybody is ' +
    'removed. Exit status 1 where a host did not get there, 2 where no proxy runs that could show it.';

  static override args = {
    host: Args.string({ description: 'One of them; all if not given' }),
  };

  static override flags = {
    'dry-run': Flags.boolean({ summary: 'Say what would change, and change nothing.' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> fra --yes',
  ];

  async run(): Promise<{ hosts: HostOutcome[]; planned: string[] }> {
    const { args, flags } = await this.parse(FleetSync);
    const paths = this.paths(flags);
    const chosen = chooseHosts(await readFleet(paths), args.host === undefined ? [] : [args.host]);
    const looks = await lookAtAll(chosen, await ourUsers(paths));
    const differing = looks.filter(({ seen }) => seen?.inSync === false);
    const planned = differing.map(({ host }) => host.name);
    const others = looks.filter((one) => !differing.includes(one)).map(tellLook);
    for (const { host, seen } of differing) {
      this.log('%s', `${host.name}: ${describeDifferences(seen?.differences ?? null)}`);
    }
    const removes = differing.some(({ seen }) => (seen?.differences.extra.length ?? 0) > 0);
    const asks = removes && !flags['dry-run'] && !flags.yes;
    const declined = asks && !(await confirm('Users who are not here are removed there, for good. Go on?', '--yes'));
    const outcomes =
      flags['dry-run'] || declined
        ? others
        : [
            ...others,
            ...(await this.push(
              differing.map(({ host }) => host),
              async (host) => syncHost(paths, host),
            )),
          ];
    for (const line of outcomeLines(outcomes, paint(process.stdout))) this.log('%s', line);
    if (declined || flags['dry-run']) this.log(declined ? 'Nothing was changed.' : 'Dry run: nothing was changed.');
    process.exitCode = exitOf(outcomes);
    return { hosts: outcomes, planned };
  }

  private async push(hosts: Host[], sync: (host: Host) => Promise<HostOutcome>): Promise<HostOutcome[]> {
    const step = this.jsonEnabled() || !process.stdout.isTTY ? silentStep : shownStep;
    const outcomes: HostOutcome[] = [];
    for (const host of hosts) outcomes.push(await step(host.name, async () => sync(host)));
    return outcomes;
  }
}

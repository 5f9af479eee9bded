import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { addHost } from '../../lib/fleet/add.ts';
import { describeDifferences } from '../../lib/fleet/describe.ts';
import type { Host } from '../../lib/fleet/hosts.ts';
import type { Seen } from '../../lib/fleet/look.ts';
import { plural } from '../../lib/ui/format.ts';

export default class FleetAdd extends BaseCommand {
  static override summary = 'Add a machine that is to have the users of this one; it has to answer by ssh.';

  static override description =
    'Nothing changes there yet: "fleet sync" does that. ssh is used as it is set up here; it asks nothing, so a key has to ' +
    'let you in, and the host key has to be known.';

  static override args = {
    host: Args.string({ required: true, description: 'As ssh takes it: user@host, or a name of ~/.ssh/config' }),
  };

  static override flags = {
    name: Flags.string({ helpValue: 'NAME', summary: 'What to call it; its host name if not given.' }),
    port: Flags.integer({ helpValue: 'PORT', min: 1, max: 65_535, summary: 'Port of ssh there.' }),
    identity: Flags.file({ helpValue: 'FILE', summary: 'Private key for it.' }),
    'ssh-config': Flags.file({ helpValue: 'FILE', summary: 'Configuration of ssh instead of your own.' }),
    mtp: Flags.string({ helpValue: 'PATH', default: 'mtp', summary: 'Where mtp is there.' }),
    sudo: Flags.boolean({ default: false, summary: 'Run it through "sudo -n" there.' }),
    'remote-home': Flags.string({ helpValue: 'DIR', summary: 'What --home is there.' }),
    address: Flags.string({
      helpValue: 'HOST',
      summary: 'Its name or address in links; by default as it finds by itself.',
    }),
    'dry-run': Flags.boolean({ summary: 'Look at it, and keep nothing.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> root@fra.example.com',
    '<%= config.bin %> <%= command.id %> admin@203.0.113.7 --name ams --sudo --address ams.example.com',
  ];

  async run(): Promise<{ host: Host; seen: Seen; added: boolean }> {
    const { args, flags } = await this.parse(FleetAdd);
    const { name, port, identity, sudo, address, 'dry-run': dryRun } = flags;
    const wish = { destination: args.host, name, port, identity, sudo, address, command: flags.mtp };
    const { host, seen } = await addHost(
      this.paths(flags),
      { ...wish, sshConfig: flags['ssh-config'], home: flags['remote-home'] },
      { dryRun },
    );
    const proxy = seen.revision === null ? 'no proxy runs there' : `its proxy serves ${seen.revision.slice(0, 12)}`;
    this.log(
      `${dryRun ? `Dry run: ${host.name} would be added` : `Added ${host.name}`}. It has mtp ${seen.version} and ${plural(seen.users, 'user')}; ${proxy}.`,
    );
    if (seen.inSync) this.log('Its users are those of this host.');
    else this.log('%s. See what would change with: mtp fleet sync --dry-run', describeDifferences(seen.differences));
    return { host, seen, added: !dryRun };
  }
}

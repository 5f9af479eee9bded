import { Args, Flags } from '@oclif/core';
import { formatPrefix, type Prefix } from '../../lib/access/prefix.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { EXIT, MtpError } from '../../lib/errors.ts';
import { type GuardEffect, takeGuardEffect } from '../../lib/guard/effect.ts';
import { liftAllBans, liftBans, listBans } from '../../lib/guard/operate.ts';
import { readNetworks } from '../../lib/guard/wishes.ts';
import { plural } from '../../lib/ui/format.ts';
import { confirm } from '../../lib/ui/prompt.ts';

export default class BanDel extends BaseCommand {
  static override summary = 'Let networks in again that were shut out.';
  static override aliases = ['ban:remove'];

  static override strict = false;
  static override args = {
    network: Args.string({ description: 'The networks, as "ban list" names them' }),
  };

  static override flags = {
    all: Flags.boolean({ summary: 'Lift every ban.' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.', dependsOn: ['all'] }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> 192.0.2.1',
    '<%= config.bin %> <%= command.id %> --all --yes',
  ];

  async run(): Promise<{ lifted: string[]; effect: GuardEffect | null }> {
    const { argv, flags } = await this.parse(BanDel);
    const paths = this.paths(flags);
    const now = Date.now();
    const named = readNetworks(argv as string[]);
    if (flags.all ? named.length > 0 : named.length === 0) throw eitherOr();
    let lifted: Prefix[] = named;
    if (flags.all) {
      const count = (await listBans(paths, now)).length;
      if (count === 0) {
        this.log('Nobody is banned.');
        return { lifted: [], effect: null };
      }
      if (!flags.yes && !(await confirm(`Lift ${plural(count, 'ban')}?`, '--yes'))) {
        this.log('Nothing was changed.');
        return { lifted: [], effect: null };
      }
      lifted = (await liftAllBans(paths, now)).map(({ prefix }) => prefix);
    } else await liftBans(paths, named, now);
    const effect = await takeGuardEffect(paths, lifted, now);
    this.log(`Lifted ${plural(lifted.length, 'ban')}. ${effect.sentence}`);
    return { lifted: lifted.map(formatPrefix), effect };
  }
}

function eitherOr(): MtpError {
  return new MtpError('NETWORK_OR_ALL', 'name networks or give --all', {
    exit: EXIT.usage,
    hint: 'See what is banned with: mtp ban list',
  });
}

import { Args } from '@oclif/core';
import { formatPrefix } from '../../lib/access/prefix.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { readEnd, rulingFlags } from '../../lib/cli/guard-flags.ts';
import { type BanView, viewBan } from '../../lib/guard/describe.ts';
import { type GuardEffect, takeGuardEffect } from '../../lib/guard/effect.ts';
import { allowNetworks } from '../../lib/guard/operate.ts';
import { readNetworks } from '../../lib/guard/wishes.ts';
import { formatTime, plural } from '../../lib/ui/format.ts';

export default class AllowAdd extends BaseCommand {
  static override summary = 'Never shut these networks out, nor limit how often they connect.';

  static override description =
    'Bans of them, and of what lies in them, are lifted. They still need a secret to be let in.';

  static override strict = false;
  static override args = {
    network: Args.string({ required: true, description: 'Addresses or networks' }),
  };

  static override flags = rulingFlags;

  static override examples = [
    '<%= config.bin %> <%= command.id %> 192.0.2.1 --reason office',
    '<%= config.bin %> <%= command.id %> 2001:db8::/48 --ttl 7d',
  ];

  async run(): Promise<{ allowed: string[]; lifted: BanView[]; effect: GuardEffect }> {
    const { argv, flags } = await this.parse(AllowAdd);
    const paths = this.paths(flags);
    const now = Date.now();
    const until = readEnd(flags, now);
    const prefixes = readNetworks(argv as string[]);
    const wishes = prefixes.map((prefix) => ({ prefix, reason: flags.reason, until }));
    const { lifted } = await allowNetworks(paths, wishes, now);
    const effect = await takeGuardEffect(paths, prefixes, now);
    const [first] = prefixes as [(typeof prefixes)[number]];
    const who = prefixes.length === 1 ? formatPrefix(first) : plural(prefixes.length, 'network');
    const end = until === null ? '' : ` until ${formatTime(until)}`;
    const bans = lifted.length === 0 ? '' : ` Lifted ${plural(lifted.length, 'ban')}.`;
    this.log(`Allowed ${who}${end}.${bans} ${effect.sentence}`);
    return { allowed: prefixes.map(formatPrefix), lifted: lifted.map(viewBan), effect };
  }
}

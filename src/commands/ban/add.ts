import { Args, Flags } from '@oclif/core';
import { formatPrefix } from '../../lib/access/prefix.ts';
import { VERDICTS } from '../../lib/access/ruling.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { readEnd, rulingFlags } from '../../lib/cli/guard-flags.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { type BanView, viewBan } from '../../lib/guard/describe.ts';
import { type GuardEffect, takeGuardEffect } from '../../lib/guard/effect.ts';
import { exemptions } from '../../lib/guard/exempt.ts';
import { banNetworks } from '../../lib/guard/operate.ts';
import { readNetworks } from '../../lib/guard/wishes.ts';
import { formatTime, plural } from '../../lib/ui/format.ts';

export default class BanAdd extends BaseCommand {
  static override summary = 'Shut networks out of the proxy.';

  static override description = `The ban is about the port of the proxy alone: SSH and the rest of this machine are not touched.
This machine, its balancers, who is logged in over SSH and what "allow list" has are never banned.`;

  static override strict = false;
  static override args = {
    network: Args.string({ required: true, description: 'Addresses or networks, such as 192.0.2.1 or 2001:db8::/48' }),
  };

  static override flags = {
    ...rulingFlags,
    action: Flags.option({ options: VERDICTS, default: 'mask' as const })({
      summary: 'Show them the web site (mask), to a few of their connections only (limit), or close them (drop).',
    }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> 192.0.2.1 --ttl 12h --reason "tries secrets"',
    '<%= config.bin %> <%= command.id %> 198.51.100.0/24 2001:db8:bad::/48 --action drop',
  ];

  async run(): Promise<{ bans: BanView[]; effect: GuardEffect }> {
    const { argv, flags } = await this.parse(BanAdd);
    const paths = this.paths(flags);
    const now = Date.now();
    const until = readEnd(flags, now);
    const { action: verdict, reason } = flags;
    const wishes = readNetworks(argv as string[]).map((prefix) => ({ prefix, verdict, reason, until }));
    const { settings } = await loadConfig({ file: paths.configFile, env: process.env, flags: [] });
    const exempted = await exemptions(settings.listen.proxy_protocol_from, process.env);
    const bans = await banNetworks(paths, wishes, { now, exempted });
    const prefixes = wishes.map(({ prefix }) => prefix);
    const effect = await takeGuardEffect(paths, prefixes, now);
    const [first] = prefixes as [(typeof prefixes)[number]];
    const who = prefixes.length === 1 ? formatPrefix(first) : plural(prefixes.length, 'network');
    this.log(
      `Banned ${who} ${until === null ? 'until it is lifted' : `until ${formatTime(until)}`}. ${effect.sentence}`,
    );
    return { bans: bans.map(viewBan), effect };
  }
}

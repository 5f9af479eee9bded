import { Args } from '@oclif/core';
import { formatPrefix } from '../../lib/access/prefix.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { type GuardEffect, takeGuardEffect } from '../../lib/guard/effect.ts';
import { disallowNetworks } from '../../lib/guard/operate.ts';
import { readNetworks } from '../../lib/guard/wishes.ts';

export default class AllowDel extends BaseCommand {
  static override summary = 'Take networks off the list of those that are never shut out.';
  static override aliases = ['allow:remove'];

  static override strict = false;
  static override args = {
    network: Args.string({ required: true, description: 'The networks, as "allow list" names them' }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %> 192.0.2.1'];

  async run(): Promise<{ removed: string[]; effect: GuardEffect }> {
    const { argv, flags } = await this.parse(AllowDel);
    const paths = this.paths(flags);
    const prefixes = readNetworks(argv as string[]);
    await disallowNetworks(paths, prefixes);
    const effect = await takeGuardEffect(paths, prefixes, Date.now());
    const removed = prefixes.map(formatPrefix);
    this.log(`Took ${removed.join(', ')} off the list. ${effect.sentence}`);
    return { removed, effect };
  }
}

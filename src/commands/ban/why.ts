import { Args } from '@oclif/core';
import { formatPrefix, parsePrefix, type Prefix } from '../../lib/access/prefix.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { getOutlooks } from '../../lib/control/client.ts';
import type { Outlook } from '../../lib/control/schema.ts';
import { policyOf } from '../../lib/guard/decide.ts';
import { type BanView, viewBan } from '../../lib/guard/describe.ts';
import { networkOf } from '../../lib/guard/exempt.ts';
import { accessVerdict } from '../../lib/guard/effect.ts';
import { accountOf } from '../../lib/guard/operate.ts';
import { engineLine, explain, type Why, whyLines } from '../../lib/guard/why.ts';
import { readNetwork } from '../../lib/guard/wishes.ts';

export default class BanWhy extends BaseCommand {
  static override summary = 'Say what is done with an address, why, and what comes next.';

  static override args = {
    address: Args.string({ required: true, description: 'The address' }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %> 192.0.2.1'];

  async run(): Promise<Why & { engine: Outlook | null; bans: BanView[] }> {
    const { args, flags } = await this.parse(BanWhy);
    const paths = this.paths(flags);
    const address = readNetwork(args.address);
    const network = networkOf(formatPrefix(address).split('/')[0] as string) ?? address;
    const now = Date.now();
    const { settings } = await loadConfig({ file: paths.configFile, env: process.env, flags: [] });
    const policy = policyOf(settings.guard);
    const access = await accessVerdict(paths, address.words, now);
    const account = { ...(await accountOf(paths, address, network, now)), access };
    const why = explain(network, account, policy, now);
    const lines = whyLines(formatPrefix(address), why, account, policy, now);
    const [engine = null] = (await getOutlooks(paths, [firstOf(address)])) ?? [];
    for (const line of lines) this.log('%s', line);
    this.log('%s', engineLine(engine));
    return { ...why, engine, bans: account.history.map(viewBan) };
  }
}

function firstOf(prefix: Prefix): string {
  return formatPrefix(parsePrefix(formatPrefix(prefix).split('/')[0] as string) as Prefix);
}

import { Args, Flags } from '@oclif/core';
import { VERDICTS } from '../../lib/access/ruling.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { readEnd, rulingFlags } from '../../lib/cli/guard-flags.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { type GuardEffect, takeGuardEffect } from '../../lib/guard/effect.ts';
import { parseBans, readBanFile, refuseFaults } from '../../lib/guard/exchange.ts';
import { exemptions } from '../../lib/guard/exempt.ts';
import { assertBannable, banNetworks } from '../../lib/guard/operate.ts';
import { plural } from '../../lib/ui/format.ts';

export default class BanImport extends BaseCommand {
  static override summary = 'Ban the networks of a file.';

  static override description = `One network a line, with # before a comment; after a tab mask, limit or drop, after another the time at which the ban ends, and after a third the reason. What a line does not say is as the flags say.
All are banned or none: a line that is no network is named, and so is whoever must not be banned.`;

  static override args = {
    file: Args.string({ required: true, ignoreStdin: true, description: 'The file; - is standard input' }),
  };

  static override flags = {
    ...rulingFlags,
    action: Flags.option({ options: VERDICTS, default: 'mask' as const })({ summary: 'What is done with them.' }),
    'dry-run': Flags.boolean({ summary: 'Say what would be banned and change nothing.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> bans.txt',
    '<%= config.bin %> <%= command.id %> scanners.txt --ttl 7d --reason "known scanners" --dry-run',
  ];

  async run(): Promise<{ banned: number; over: number; dryRun: boolean; effect: GuardEffect | null }> {
    const { args, flags } = await this.parse(BanImport);
    const paths = this.paths(flags);
    const now = Date.now();
    const { bans, faults } = parseBans(await readBanFile(args.file));
    refuseFaults(args.file, faults);
    const otherwise = readEnd(flags, now);
    const wishes = bans.map(({ prefix, verdict, until, reason }) => ({
      prefix,
      verdict: verdict ?? flags.action,
      until: until === undefined ? otherwise : until,
      reason: reason === '' ? flags.reason : reason,
    }));
    const current = wishes.filter(({ until }) => until === null || until > now);
    const over = wishes.length - current.length;
    const dryRun = flags['dry-run'];
    const { settings } = await loadConfig({ file: paths.configFile, env: process.env, flags: [] });
    const exempted = await exemptions(settings.listen.proxy_protocol_from, process.env);
    await assertBannable(paths, current, { now, exempted });
    if (dryRun || current.length === 0) {
      this.log(`${plural(current.length, 'network')} would be banned; nothing was changed.`);
      return { banned: current.length, over, dryRun, effect: null };
    }
    await banNetworks(paths, current, { now, exempted });
    const prefixes = current.map(({ prefix }) => prefix);
    const effect = await takeGuardEffect(paths, prefixes, now);
    const past = over === 0 ? '' : ` ${plural(over, 'ban')} of the file ${over === 1 ? 'was' : 'were'} over already.`;
    this.log(`Banned ${plural(current.length, 'network')}.${past} ${effect.sentence}`);
    return { banned: current.length, over, dryRun, effect };
  }
}

import { Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { readSpan } from '../../lib/cli/grace-flags.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { listSuspicions } from '../../lib/guard/operate.ts';
import { simulate, type Simulated, simulatedLines } from '../../lib/guard/simulate.ts';

export default class BanSimulate extends BaseCommand {
  static override summary = 'Say whom a threshold would have banned, by what was really seen.';

  static override description = `Nothing is changed. Those are named apart from whose network somebody had proved to know a secret: to ban them would have hit a user.
The engine reports a network from a quarter of guard.threshold on; what is below that is not known.`;

  static override flags = {
    since: Flags.string({ summary: 'How far to look back.', helpValue: 'SPAN', default: '24h' }),
    threshold: Flags.integer({
      summary: 'Points; guard.threshold if not given.',
      min: 1,
      max: 1000,
      helpValue: 'COUNT',
    }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> --since 24h',
    '<%= config.bin %> <%= command.id %> --since 7d --threshold 10',
  ];

  async run(): Promise<Simulated> {
    const { flags } = await this.parse(BanSimulate);
    const paths = this.paths(flags);
    const { settings } = await loadConfig({ file: paths.configFile, env: process.env, flags: [] });
    const threshold = flags.threshold ?? settings.guard.threshold;
    const since = Date.now() - readSpan('--since', flags.since);
    const result = simulate(await listSuspicions(paths, since), threshold, since);
    for (const line of simulatedLines(result)) this.log('%s', line);
    return result;
  }
}

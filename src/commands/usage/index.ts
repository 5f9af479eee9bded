import { Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { renderWarning } from '../../lib/ui/warning.ts';
import { freshness, reportUsage, usageCsv, usageJson, type UsageJson, usageLines } from '../../lib/usage/report.ts';

export default class Usage extends BaseCommand {
  static override summary = 'Show what users have used.';
  static override description =
    'Payload bytes from and to the clients, by days and months of UTC. What a removed user used stays known.';

  static override flags = {
    user: Flags.string({ summary: 'Only of this user.', helpValue: 'NAME' }),
    by: Flags.option({ options: ['day', 'month'] as const })({ summary: 'A line for each day or month.' }),
    since: Flags.string({ summary: 'From this day on, or so long ago.', helpValue: '2027-01-31|7d' }),
    until: Flags.string({ summary: 'Up to the end of this day.', helpValue: '2027-01-31|7d' }),
    csv: Flags.boolean({ summary: 'Print CSV (RFC 4180), with bytes as plain numbers.', exclusive: ['json'] }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --user bob --by day --since 7d',
    '<%= config.bin %> <%= command.id %> --by month --csv > usage.csv',
  ];

  async run(): Promise<UsageJson> {
    const { flags } = await this.parse(Usage);
    const now = Date.now();
    const { by = null, user, since, until } = flags;
    const report = await reportUsage(this.paths(flags), { by, user, since, until }, now);
    for (const warning of report.warnings) this.logToStderr(renderWarning(warning));
    if (flags.csv) process.stdout.write(usageCsv(report, now));
    else for (const line of [...usageLines(report, now), freshness(report, now)]) this.log('%s', line);
    return usageJson(report, now);
  }
}

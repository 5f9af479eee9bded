import { Args } from '@oclif/core';
import { checkAddress } from '../../lib/access/check.ts';
import { describeOutcome, type OutcomeView } from '../../lib/access/describe.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { formatTable } from '../../lib/ui/table.ts';
import { renderWarning } from '../../lib/ui/warning.ts';

export default class AccessCheck extends BaseCommand {
  static override summary = 'Say what the rules make of an address, and which of them counts.';
  static override description =
    'Goes by what is written: rules, feeds and countries. Nothing is asked of the running proxy.';

  static override args = {
    address: Args.string({ required: true, description: 'IPv4 or IPv6 address' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> 198.51.100.7',
    '<%= config.bin %> <%= command.id %> 2001:db8::1 --json',
  ];

  async run(): Promise<OutcomeView & { warnings: string[] }> {
    const { args, flags } = await this.parse(AccessCheck);
    const { view, warnings } = await checkAddress(this.paths(flags), args.address, Date.now());
    const { sentence, headers, rows } = describeOutcome(view);
    for (const warning of warnings) this.logToStderr(renderWarning(warning));
    this.log('%s', sentence);
    if (rows.length > 0) for (const line of formatTable(headers, rows)) this.log('%s', line);
    return { ...view, warnings };
  }
}

import { Args } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { formatDiff } from '../../lib/config/diff.ts';
import { diffSince } from '../../lib/config/roll-back.ts';

export default class ConfigDiff extends BaseCommand {
  static override summary = 'Show how the configuration file differs from one that was in force.';

  static override args = {
    revision: Args.string({ description: 'Beginning of a revision or #NUMBER of the history; the newest without it' }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %>', "<%= config.bin %> <%= command.id %> '#3'"];

  async run(): Promise<Awaited<ReturnType<typeof diffSince>>> {
    const { args, flags } = await this.parse(ConfigDiff);
    const difference = await diffSince(this.paths(flags), args.revision);
    const { file, number, revision, diff } = difference;
    for (const line of formatDiff(diff)) this.log('%s', line);
    if (diff.length === 0) this.log('%s is as it was in #%d, revision %s.', file, number, revision.slice(0, 12));
    return difference;
  }
}

import { Args } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import type { LogReply } from '../../lib/control/schema.ts';
import { describeLogLevel, LOG_LEVELS, logLevel } from '../../lib/service/log-level.ts';

export default class LogLevelCommand extends BaseCommand {
  static override summary = 'Show or change from which severity on the running proxy logs.';

  static override description = `A change counts until the next start, or until log.level in the configuration changes; debug ends after half an hour.
To keep it, use: mtp config set log.level LEVEL`;

  static override args = {
    level: Args.custom<(typeof LOG_LEVELS)[number]>({ options: [...LOG_LEVELS] })({
      description: 'Least severe events to log',
    }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> debug'];

  async run(): Promise<LogReply> {
    const { args, flags } = await this.parse(LogLevelCommand);
    const reply = await logLevel(this.paths(flags), args.level);
    this.log(describeLogLevel(reply, Date.now()));
    return reply;
  }
}

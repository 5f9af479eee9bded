import { Flags } from '@oclif/core';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { type LogView, viewLog } from '../lib/service/log-lines.ts';

export default class Logs extends BaseCommand {
  static override summary = 'Show the log of the proxy: the journal of its unit, or the file of "mtp start".';

  static override flags = {
    follow: Flags.boolean({ char: 'f', default: false, summary: 'Go on with what is added, until Ctrl-C.' }),
    lines: Flags.integer({
      char: 'n',
      default: 50,
      helpValue: 'COUNT',
      min: 0,
      summary: 'So many of the newest lines.',
    }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %> -n 100', '<%= config.bin %> <%= command.id %> -f'];

  async run(): Promise<Omit<LogView, 'follow'>> {
    const { flags } = await this.parse(Logs);
    const { source, lines, follow } = await viewLog(this.paths(flags), flags.lines);
    for (const line of lines) this.log('%s', line);
    if (flags.follow && !this.jsonEnabled())
      await once(spawn(follow.program, follow.args, { stdio: 'inherit' }), 'exit');
    return { source, lines };
  }
}

import { Flags } from '@oclif/core';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { renderWarning } from '../lib/ui/warning.ts';
import { describeStop, stop, type StopResult } from '../lib/service/stop.ts';

export default class Stop extends BaseCommand {
  static override summary = 'Stop the proxy, however it was started, and see that it has ended.';

  static override description =
    'Open connections may end first, for shutdown.drain_timeout. With --now nothing is waited for, and what has not ended after two seconds is killed. No proxy running is no error.';

  static override flags = {
    now: Flags.boolean({ default: false, summary: 'Cut all connections at once.' }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --now'];

  async run(): Promise<StopResult> {
    const { flags } = await this.parse(Stop);
    const stopped = await stop(this.paths(flags), {
      ...flags,
      warn: (sentence) => this.logToStderr(renderWarning(sentence)),
    });
    for (const line of describeStop(stopped)) this.log(line);
    return stopped;
  }
}

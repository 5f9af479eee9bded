import { Flags } from '@oclif/core';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { restart, type Restarted } from '../lib/service/restart.ts';
import { describeStop } from '../lib/service/stop.ts';
import { paint } from '../lib/ui/paint.ts';
import { fit, startedLines } from '../lib/ui/screen.ts';

export default class Restart extends BaseCommand {
  static override summary = 'Stop the proxy and start it again in the background.';

  static override description =
    'Connections are let end first, then cut, and clients are refused in between. "mtp reload" and "mtp engine upgrade" refuse nobody.';

  static override flags = {
    now: Flags.boolean({ default: false, summary: 'Cut all connections at once.' }),
    'allow-root': Flags.boolean({
      env: 'MTP_ALLOW_ROOT',
      summary: 'Let the engine run as root, where there is no user mtp.',
    }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --now'];

  async run(): Promise<Restarted> {
    const { flags } = await this.parse(Restart);
    const restarted = await restart(this.paths(flags), { allowRoot: flags['allow-root'], now: flags.now });
    for (const line of describeStop(restarted.stopped)) this.log(line);
    const lines = startedLines(restarted.started, paint(process.stdout));
    for (const line of fit(lines, process.stdout.columns)) this.log('%s', line);
    return restarted;
  }
}

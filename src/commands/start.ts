import { Flags } from '@oclif/core';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { start, type Started } from '../lib/service/start.ts';
import { paint } from '../lib/ui/paint.ts';
import { fit, startedLines } from '../lib/ui/screen.ts';

export default class Start extends BaseCommand {
  static override summary = 'Start the proxy in the background and wait until clients can connect.';

  static override description = `With systemd where it runs and has the unit mtp.service, otherwise as a process of its own that logs into a file.
A proxy that runs already is left alone. Where it does not start, its last words are shown.`;

  static override flags = {
    'allow-root': Flags.boolean({
      env: 'MTP_ALLOW_ROOT',
      summary: 'Let the engine run as root, where there is no user mtp.',
    }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<Started> {
    const { flags } = await this.parse(Start);
    const started = await start(this.paths(flags), { allowRoot: flags['allow-root'] });
    const lines = startedLines(started, paint(process.stdout));
    for (const line of fit(lines, process.stdout.columns)) this.log('%s', line);
    return started;
  }
}

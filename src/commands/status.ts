import { BaseCommand } from '../lib/cli/base-command.ts';
import { getStatus } from '../lib/control/client.ts';
import type { StatusReply } from '../lib/control/schema.ts';
import { notRunning } from '../lib/service/not-running.ts';
import { paint } from '../lib/ui/paint.ts';
import { fit, statusLines } from '../lib/ui/screen.ts';

export default class Status extends BaseCommand {
  static override summary =
    'Show what the running proxy does: connections, handshakes, traffic, Telegram and the cover.';

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<StatusReply> {
    const { flags } = await this.parse(Status);
    const paths = this.paths(flags);
    const status = await getStatus(paths);
    if (status === undefined) throw await notRunning(paths);
    const lines = statusLines(status, Date.now(), paint(process.stdout));
    for (const line of fit(lines, process.stdout.columns)) this.log('%s', line);
    return status;
  }
}

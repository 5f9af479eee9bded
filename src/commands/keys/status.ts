import { BaseCommand } from '../../lib/cli/base-command.ts';
import { keyringStatus, type KeyringStatus } from '../../lib/keyring/status.ts';
import { formatDay, plural } from '../../lib/ui/format.ts';
import { renderWarning } from '../../lib/ui/warning.ts';

export default class KeysStatus extends BaseCommand {
  static override summary = 'Open every secret, and say which key seals them.';

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<KeyringStatus> {
    const { flags } = await this.parse(KeysStatus);
    const status = await keyringStatus(this.paths(flags));
    const { file, inForce, secrets, warnings } = status;
    for (const warning of warnings) this.logToStderr(renderWarning(warning));
    this.log(
      `Key ${inForce.id} of ${file}, ${inForce.algorithm}, made on ${formatDay(Date.parse(inForce.createdAt))}.`,
    );
    this.log(`${plural(secrets, 'secret')} opened with it: all that there are.`);
    return status;
  }
}

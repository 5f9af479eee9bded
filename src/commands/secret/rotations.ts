import { Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { getUsage } from '../../lib/control/client.ts';
import { listDue } from '../../lib/rotation/announce.ts';
import { describeDue, type DueView, ROTATION_HEADERS, rotationRow, viewDue } from '../../lib/rotation/describe.ts';
import { listRotations, type Rotation } from '../../lib/rotation/rotations.ts';
import { formatTable } from '../../lib/ui/table.ts';
import { wrap } from '../../lib/ui/wrap.ts';
import { listUsers } from '../../lib/users/load.ts';

export default class SecretRotations extends BaseCommand {
  static override summary = 'Show who still uses secrets that were replaced, and which can be closed.';

  static override flags = {
    all: Flags.boolean({ summary: 'Those too that were closed, and are remembered for 30 days.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --all --json',
  ];

  async run(): Promise<{ running: boolean; rotations: Rotation[]; announcements: DueView[] }> {
    const { flags } = await this.parse(SecretRotations);
    const paths = this.paths(flags);
    const now = Date.now();
    const [users, usage, due] = await Promise.all([listUsers(paths), getUsage(paths), listDue(paths)]);
    const running = usage !== undefined;
    const rotations = listRotations(users, usage ?? null, now).filter(({ state }) => flags.all || state !== 'revoked');
    if (rotations.length === 0) this.log('No secret that was replaced is still open.');
    const rows = rotations.map((rotation) => rotationRow(rotation, now));
    if (rows.length > 0) for (const line of formatTable(ROTATION_HEADERS, rows)) this.log('%s', line);
    for (const line of describeDue(due, { now, running })) this.log('%s', wrap(line, process.stdout.columns));
    return { running, rotations, announcements: due.map(viewDue) };
  }
}

import { BaseCommand } from '../../lib/cli/base-command.ts';
import { formatDay } from '../../lib/ui/format.ts';
import { formatTable } from '../../lib/ui/table.ts';
import { listUsers } from '../../lib/users/load.ts';
import type { SecretRecord } from '../../lib/users/user.ts';

export default class SecretList extends BaseCommand {
  static override summary = 'List the secrets and whose they are; none is shown.';

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<{ secrets: (SecretRecord & { name: string; enabled: boolean })[] }> {
    const { flags } = await this.parse(SecretList);
    const users = await listUsers(this.paths(flags));
    const secrets = users.flatMap(({ name, enabled, secrets: own }) => own.map((one) => ({ name, enabled, ...one })));
    if (secrets.length === 0) {
      this.log(`No secrets yet. Add somebody with: ${this.config.bin} user add NAME`);
    } else {
      const rows = secrets.map((one) => [
        one.name,
        one.id,
        one.state,
        formatDay(one.createdAt),
        one.enabled ? 'yes' : 'no',
      ]);
      for (const line of formatTable(['NAME', 'ID', 'STATE', 'CREATED', 'ENABLED'], rows)) this.log(line);
    }
    return { secrets };
  }
}

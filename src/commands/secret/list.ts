import { BaseCommand } from '../../lib/cli/base-command.ts';
import { formatTable } from '../../lib/ui/table.ts';
import { listUsers } from '../../lib/users/load.ts';
import { type SecretView, viewSecret } from '../../lib/users/describe.ts';

export default class SecretList extends BaseCommand {
  static override summary = 'List the secrets and whose they are; none is shown.';

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<{ secrets: (SecretView & { name: string; enabled: boolean })[] }> {
    const { flags } = await this.parse(SecretList);
    const users = await listUsers(this.paths(flags));
    const secrets = users.flatMap(({ name, enabled, secrets: own }) =>
      own.map((one) => ({ name, enabled, ...viewSecret(one) })),
    );
    if (secrets.length === 0) {
      this.log(`No secrets yet. Add somebody with: ${this.config.bin} user add NAME`);
    } else {
      const withReasons = secrets.some(({ closeReason }) => closeReason !== null);
      const rows = secrets.map((one) => [
        one.name,
        one.id,
        one.state,
        one.createdAt.slice(0, 10),
        one.enabled ? 'yes' : 'no',
        ...(withReasons ? [one.closeReason ?? '-'] : []),
      ]);
      const headers = ['NAME', 'ID', 'STATE', 'CREATED', 'ENABLED', ...(withReasons ? ['REASON'] : [])];
      for (const line of formatTable(headers, rows)) this.log('%s', line);
    }
    return { secrets };
  }
}

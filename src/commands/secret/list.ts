import { BaseCommand } from '../../lib/cli/base-command.ts';
import { formatTable } from '../../lib/ui/table.ts';
import { renderWarning } from '../../lib/ui/warning.ts';
import { loadUsers, type User } from '../../lib/users/store.ts';

export default class SecretList extends BaseCommand {
  static override summary = 'List who may connect; no secret is shown.';

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<{ users: Omit<User, 'key'>[]; warnings: string[] }> {
    const { flags } = await this.parse(SecretList);
    const { users, warnings } = await loadUsers(this.paths(flags));
    for (const warning of warnings) this.logToStderr(renderWarning(warning));
    if (users.length === 0) {
      this.log(`Nobody yet. Add somebody with: ${this.config.bin} secret add NAME`);
    } else {
      const rows = users.map(({ name, createdAt, enabled }) => [name, createdAt.slice(0, 10), enabled ? 'yes' : 'no']);
      for (const line of formatTable(['NAME', 'CREATED', 'ENABLED'], rows)) this.log(line);
    }
    return { users: users.map(({ id, name, createdAt, enabled }) => ({ id, name, createdAt, enabled })), warnings };
  }
}

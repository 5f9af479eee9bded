import { Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { formatTable } from '../../lib/ui/table.ts';
import { arrangeUsers, SORTS } from '../../lib/users/arrange.ts';
import { LIST_HEADERS, listRow, type UserView, viewUser } from '../../lib/users/describe.ts';
import { listUsers } from '../../lib/users/load.ts';

export default class UserList extends BaseCommand {
  static override summary = 'List who may connect, and what they may use.';

  static override flags = {
    tag: Flags.string({
      summary: 'Only those with this tag; repeated, with every one.',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'TAG',
    }),
    sort: Flags.option({ options: SORTS, default: 'added' as const })({ summary: 'Order of the list.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --tag family --sort expires',
  ];

  async run(): Promise<{ users: UserView[] }> {
    const { flags } = await this.parse(UserList);
    const now = Date.now();
    const all = await listUsers(this.paths(flags));
    const users = arrangeUsers(all, flags.tag ?? [], flags.sort);
    if (all.length === 0) this.log(`No users yet. Add somebody with: ${this.config.bin} user add NAME`);
    else if (users.length === 0) this.log(`None of ${all.length} users has these tags.`);
    else
      for (const line of formatTable(
        LIST_HEADERS,
        users.map((user) => listRow(user, now)),
      ))
        this.log('%s', line);
    return { users: users.map((user) => viewUser(user, now)) };
  }
}

import { Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { formatTable } from '../../lib/ui/table.ts';
import { arrangeUsers, SORTS } from '../../lib/users/arrange.ts';
import { viewUsed, type UsedView } from '../../lib/usage/describe.ts';
import { listUsage } from '../../lib/usage/read.ts';
import { LIST_HEADERS, listRow, type UserView, viewUser } from '../../lib/users/describe.ts';

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

  async run(): Promise<{ users: (UserView & { used: UsedView })[] }> {
    const { flags } = await this.parse(UserList);
    const now = Date.now();
    const all = await listUsage(this.paths(flags), now);
    const items = arrangeUsers(all, flags.tag ?? [], flags.sort);
    if (all.length === 0) this.log(`No users yet. Add somebody with: ${this.config.bin} user add NAME`);
    else if (items.length === 0) this.log(`None of ${all.length} users has these tags.`);
    else
      for (const line of formatTable(
        LIST_HEADERS,
        items.map((item) => listRow(item, now)),
      ))
        this.log('%s', line);
    return { users: items.map((item) => ({ ...viewUser(item.user, now), used: viewUsed(item, now) })) };
  }
}

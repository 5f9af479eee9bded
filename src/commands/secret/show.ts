import { Args } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { loadAccess, type UserLink, userLinks } from '../../lib/link/access.ts';
import { renderWarning } from '../../lib/ui/warning.ts';
import { loadUsers, requireUser } from '../../lib/users/store.ts';

export default class SecretShow extends BaseCommand {
  static override summary = 'Show the secret and the links of somebody, in every mode that the proxy accepts.';

  static override args = {
    name: Args.string({ required: true, description: 'Whose secret to show' }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %> bob'];

  async run(): Promise<{ name: string; enabled: boolean; key: string; links: UserLink[]; warnings: string[] }> {
    const { args, flags } = await this.parse(SecretShow);
    const paths = this.paths(flags);
    const loaded = await loadUsers(paths);
    const { name, enabled, key } = requireUser(loaded.users, args.name);
    const access = await loadAccess(paths);
    const links = userLinks({ key }, access);
    const warnings = [...loaded.warnings, ...access.warnings];
    if (!enabled) warnings.push(`${name} is disabled; the proxy does not let ${name} in.`);
    for (const warning of warnings) this.logToStderr(renderWarning(warning));
    for (const { mode, secret, tg, https } of links)
      this.log(`${mode}\n  secret  ${secret}\n  link    ${tg}\n  web     ${https}`);
    this.log(`@MTProxybot takes the bare key only: ${key}`);
    if (!access.modes.includes('plain'))
      this.log('The link that it answers with does not work here, as plain mode is off.');
    return { name, enabled, key, links, warnings };
  }
}

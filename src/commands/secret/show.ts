import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { loadAccess, type UserLink, userLinks } from '../../lib/link/access.ts';
import { renderWarning } from '../../lib/ui/warning.ts';
import { loadUser } from '../../lib/users/load.ts';
import { chooseSecret } from '../../lib/users/secrets.ts';
import { accessWarnings, requireSecret } from '../../lib/users/user.ts';

export default class SecretShow extends BaseCommand {
  static override summary = 'Show the secret and the links of somebody, in every mode that the proxy accepts.';

  static override args = {
    name: Args.string({ required: true, description: 'Whose secret to show' }),
  };

  static override flags = {
    id: Flags.string({ summary: 'Show this one of several secrets; by default the newest.', helpValue: 'ID' }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %> bob'];

  async run(): Promise<{
    name: string;
    enabled: boolean;
    id: string;
    key: string;
    links: UserLink[];
    warnings: string[];
  }> {
    const { args, flags } = await this.parse(SecretShow);
    const paths = this.paths(flags);
    const { user, warnings: found } = await loadUser(paths, args.name);
    const { id, key } = flags.id === undefined ? requireSecret(user) : chooseSecret(user, flags.id);
    const access = await loadAccess(paths);
    const links = userLinks({ key }, access);
    const warnings = [...found, ...access.warnings, ...accessWarnings(user, Date.now())];
    for (const warning of warnings) this.logToStderr(renderWarning(warning));
    for (const { mode, secret, tg, https } of links)
      this.log(`${mode}\n  secret  ${secret}\n  link    ${tg}\n  web     ${https}`);
    this.log(`@MTProxybot takes the bare key only: ${key}`);
    if (!access.modes.includes('plain'))
      this.log('The link that it answers with does not work here, as plain mode is off.');
    return { name: user.name, enabled: user.enabled, id, key, links, warnings };
  }
}

import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { loadAccess, type UserLink, userLinks } from '../../lib/link/access.ts';
import { renderWarning } from '../../lib/ui/warning.ts';
import { describeSecret, type SecretView, viewSecret } from '../../lib/users/describe.ts';
import { loadUser } from '../../lib/users/load.ts';
import { chooseSecret } from '../../lib/users/secrets.ts';
import { accessWarnings, requireSecret } from '../../lib/users/user.ts';

export default class SecretShow extends BaseCommand {
  static override summary = 'Show what is known of a secret of somebody, and with --reveal the secret and its links.';

  static override args = {
    name: Args.string({ required: true, description: 'Whose secret to show' }),
  };

  static override flags = {
    id: Flags.string({ summary: 'Show this one of several secrets; by default the newest.', helpValue: 'ID' }),
    reveal: Flags.boolean({ summary: 'Print the secret and the links, in every mode that the proxy accepts.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> bob',
    '<%= config.bin %> <%= command.id %> bob --reveal',
  ];

  async run(): Promise<{
    name: string;
    enabled: boolean;
    id: string;
    secret: SecretView;
    /** Null unless revealed; the links too. */
    key: string | null;
    links: UserLink[] | null;
    warnings: string[];
  }> {
    const { args, flags } = await this.parse(SecretShow);
    const paths = this.paths(flags);
    const { user, warnings: found } = await loadUser(paths, args.name);
    const chosen = flags.id === undefined ? requireSecret(user) : chooseSecret(user, flags.id);
    const access = await loadAccess(paths);
    const warnings = [...found, ...(flags.reveal ? access.warnings : []), ...accessWarnings(user, Date.now())];
    for (const warning of warnings) this.logToStderr(renderWarning(warning));
    this.log('%s', `${user.name}: ${describeSecret(chosen)}`);
    const links = flags.reveal ? userLinks(chosen, access) : null;
    if (links === null) {
      this.log(`The secret is hidden. Print it with --reveal, or a link with: ${this.config.bin} link ${user.name}`);
    } else {
      for (const { mode, secret, tg, https } of links)
        this.log(`${mode}\n  secret  ${secret}\n  link    ${tg}\n  web     ${https}`);
      this.log(`@MTProxybot takes the bare key only: ${chosen.key}`);
      if (!access.modes.includes('plain'))
        this.log('The link that it answers with does not work here, as plain mode is off.');
    }
    const { name, enabled } = user;
    const key = flags.reveal ? chosen.key : null;
    return { name, enabled, id: chosen.id, secret: viewSecret(chosen), key, links, warnings };
  }
}

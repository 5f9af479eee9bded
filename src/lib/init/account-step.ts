import { MtpError } from '../errors.ts';
import { findAccount, isNoLogin } from '../host/account.ts';
import { type Exec, lastWords } from '../system/exec.ts';
import type { InstallStep } from './execute.ts';
import type { Layout } from './layout.ts';

const SHELL = '/usr/sbin/nologin';

/** A system user without login and home, by the first tool of this system that can make one. */
export function accountStep({ account, root }: Layout, exec: Exec): InstallStep {
  const find = async () => findAccount(account, root);
  return {
    id: 'account',
    title: `System user ${account}, without login`,
    holds: async () => {
      const found = await find();
      return found !== undefined && found.uid !== 0 && isNoLogin(found);
    },
    makes: async () => ((await find()) === undefined ? [{ kind: 'user', name: account }] : []),
    act: async () => {
      const line = `u ${account} - "Telegram MTProto proxy" - ${SHELL}`;
      const useradd = ['--system', '--user-group', '--no-create-home', '--home-dir', '/', '--shell', SHELL, account];
      const tools: [string, string[]][] = [
        ['systemd-sysusers', [`--root=${root}`, '--inline', line]],
        ['useradd', [...(root === '/' ? [] : ['--prefix', root]), ...useradd]],
      ];
      let why = '';
      for (const [tool, args] of tools) {
        const ran = await exec(tool, args);
        if (ran.status === 0) return;
        why = `${tool}: ${lastWords(ran)}`;
      }
      throw new MtpError('ACCOUNT_FAILED', `cannot make the system user ${account}: ${why}`, {
        hint: `Make it yourself, without login, then run "mtp init" again.`,
      });
    },
  };
}

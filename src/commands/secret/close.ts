import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { closeSecrets, toClose, wouldShutOut } from '../../lib/rotation/close.ts';
import { describeConnections } from '../../lib/rotation/describe.ts';
import { plural } from '../../lib/ui/format.ts';
import { confirm } from '../../lib/ui/prompt.ts';
import { findUser } from '../../lib/users/load.ts';
import { type Effect, takeEffect } from '../../lib/users/take-effect.ts';

export default class SecretClose extends BaseCommand {
  static override summary = 'Let nobody in any more with the secrets of a user that were replaced.';

  static override description =
    'Connections that are open go on for rotation.drain, with --now they are cut. A link with a closed secret is still ' +
    'recognised for 30 days, so that it can be told from an attack.';

  static override args = {
    name: Args.string({ required: true, description: 'Whose old secrets to close' }),
  };

  static override flags = {
    id: Flags.string({ summary: 'One secret, which may be the one in use.', helpValue: 'ID' }),
    now: Flags.boolean({ summary: 'Cut who is connected with them.' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> bob',
    '<%= config.bin %> <%= command.id %> bob --now --yes',
  ];

  async run(): Promise<{ name: string; closed: string[]; effect: Effect | null }> {
    const { args, flags } = await this.parse(SecretClose);
    const paths = this.paths(flags);
    const user = await findUser(paths, args.name);
    const { name } = user;
    const open = toClose(user, { name, ...flags });
    if (open.length === 0) {
      this.log(
        flags.id === undefined
          ? `The secrets of ${name} that were replaced are closed already.`
          : `The secret ${flags.id} of ${name} is closed already.`,
      );
      return { name, closed: [], effect: null };
    }
    const many = plural(open.length, 'secret');
    const last = wouldShutOut(user, open) ? ` ${name} has no other, and cannot connect then.` : '';
    const cut = flags.now ? ` and cut who uses ${open.length === 1 ? 'it' : 'them'}` : '';
    const question = `Close ${many} of ${name}${cut}?${last}`;
    if (!flags.yes && !(await confirm(question, '--yes'))) {
      this.log(`Closed nothing of ${name}.`);
      return { name, closed: [], effect: null };
    }
    const { closed } = await closeSecrets(paths, { name, id: flags.id, now: flags.now }, Date.now());
    const effect = await takeEffect(paths, {
      done: `${many} of ${name} ${closed.length === 1 ? 'is' : 'are'} closed`,
      later: `nobody is let in with ${open.length === 1 ? 'it' : 'them'} any more`,
    });
    this.log(`Closed ${many} of ${name}. ${effect.sentence}`);
    if (last !== '') this.log(`${name} has no open secret now. Give one with: mtp secret add ${name}`);
    if (effect.connections !== null) this.log(describeConnections(effect.connections));
    return { name, closed: closed.map(({ id }) => id), effect };
  }
}

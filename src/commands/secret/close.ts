import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { closeSecrets } from '../../lib/rotation/close.ts';
import { type ClosePlan, describeClosePlan, planClosing } from '../../lib/rotation/close-plan.ts';
import { describeClosed } from '../../lib/rotation/describe.ts';
import { confirm } from '../../lib/ui/prompt.ts';
import { wrap } from '../../lib/ui/wrap.ts';
import { type Effect, takeEffect } from '../../lib/users/take-effect.ts';

export default class SecretClose extends BaseCommand {
  static override summary = 'Let nobody in any more with the secrets of a user that were replaced, or with one secret.';

  static override description =
    'Connections that are open go on for rotation.drain, with --now they are cut. A link with a closed secret is still ' +
    'recognised for 30 days, so that it can be told from an attack.';

  static override aliases = ['secret:revoke'];

  static override args = {
    name: Args.string({ required: true, description: 'Whose old secrets to close; or the id of one secret' }),
  };

  static override flags = {
    id: Flags.string({ summary: 'One secret, which may be the one in use.', helpValue: 'ID' }),
    now: Flags.boolean({ summary: 'Cut who is connected with them.' }),
    reason: Flags.string({ summary: 'Why; it is kept and shown with the secret.', helpValue: 'TEXT' }),
    'dry-run': Flags.boolean({ summary: 'Say whom that would cut, and do nothing.' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> bob',
    '<%= config.bin %> <%= command.id %> bob --now --dry-run',
    '<%= config.bin %> <%= command.id %> 0f6c1d2e3a4b5c6d --now --yes --reason "posted in a group"',
  ];

  async run(): Promise<{ name: string; closed: string[]; plan: ClosePlan; effect: Effect | null }> {
    const { args, flags } = await this.parse(SecretClose);
    const paths = this.paths(flags);
    const plan = await planClosing(paths, { ...args, ...flags });
    const { name } = plan.closing;
    const lines = describeClosePlan(plan);
    if (plan.secrets.length === 0 || flags['dry-run']) {
      for (const line of lines) this.log('%s', wrap(line, process.stdout.columns));
      return { name, closed: [], plan, effect: null };
    }
    if (!flags.yes && !(await confirm(`${lines.join('\n')}\nGo on?`, '--yes'))) {
      this.log(`Closed nothing of ${name}.`);
      return { name, closed: [], plan, effect: null };
    }
    const { closed } = await closeSecrets(paths, plan.closing, Date.now());
    const [what, it] = closed.length === 1 ? ['a secret', 'it'] : [`${closed.length} secrets`, 'them'];
    const effect = await takeEffect(paths, {
      done: `the ledger lets nobody in with ${what} of ${name}`,
      later: `nobody is let in with ${it} any more`,
    });
    for (const line of describeClosed(plan, effect)) this.log('%s', wrap(line, process.stdout.columns));
    return { name, closed: closed.map(({ id }) => id), plan, effect };
  }
}

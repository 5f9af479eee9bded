import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { graceFlags, readGrace } from '../../lib/cli/grace-flags.ts';
import { describePlan, describeRotation } from '../../lib/rotation/describe.ts';
import { howTo, performRotation, planFor, type RotationReport } from '../../lib/rotation/perform.ts';
import { readWhose } from '../../lib/rotation/whose.ts';
import { assertEnvFile, saveSecret, type Saved } from '../../lib/secret/save-env.ts';
import { confirm } from '../../lib/ui/prompt.ts';
import { wrap } from '../../lib/ui/wrap.ts';
import { renderWarning } from '../../lib/ui/warning.ts';

export default class SecretRotate extends BaseCommand {
  static override summary = 'Replace the secrets of users by new ones; the old ones go on for a while.';

  static override description =
    'The new secret is handed out at once, and the old one is accepted until its grace is over, so that nobody is cut off ' +
    'who has not had the new link yet. The running proxy shows by handshakes that both is so. With --emergency the old one ' +
    'is refused at once, and who is connected with it is cut.';

  static override aliases = ['rotate'];

  static override args = {
    name: Args.string({ description: 'Whose secret to replace' }),
    file: Args.string({ description: 'File for --update-env; .env if not given' }),
  };

  static override flags = {
    all: Flags.boolean({ summary: 'The secrets of all users.' }),
    'older-than': Flags.string({ summary: 'Only those of at least this age, such as 30d.', helpValue: 'SPAN' }),
    ...graceFlags,
    emergency: Flags.boolean({ summary: 'Refuse the old secrets at once, and cut who is connected with them.' }),
    'update-env': Flags.boolean({ summary: 'Write the new secret into a .env file as well.' }),
    'dry-run': Flags.boolean({ summary: 'Say what would be done, and do nothing.' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> bob',
    '<%= config.bin %> <%= command.id %> bob --grace 3d --limit-networks 2',
    '<%= config.bin %> <%= command.id %> --older-than 30d --yes',
    '<%= config.bin %> <%= command.id %> bob --emergency --yes',
    '<%= config.bin %> <%= command.id %> bob prod.env --update-env',
  ];

  async run(): Promise<Partial<RotationReport> & { planned: string[]; env?: Saved }> {
    const { args, flags } = await this.parse(SecretRotate);
    const paths = this.paths(flags);
    const whose = readWhose({ ...args, ...flags });
    const how = await howTo(paths, { emergency: flags.emergency, ...readGrace(flags) });
    const plan = await planFor(paths, whose);
    const planned = plan.map(({ name }) => name);
    const sentence = describePlan(plan, how);
    const asks = whose.names === 'all' || flags.emergency;
    if (plan.length === 0 || flags['dry-run']) {
      this.log(sentence);
      return { planned };
    }
    if (asks && !flags.yes && !(await confirm(`${sentence} Go on?`, '--yes'))) {
      this.log('Nothing was changed.');
      return { planned };
    }
    const file = flags['update-env'] ? (args.file ?? '.env') : undefined;
    if (file !== undefined) await assertEnvFile(file);
    const report = await performRotation(paths, { names: planned, olderThanMs: whose.olderThanMs }, how);
    for (const line of describeRotation(report)) this.log('%s', wrap(line, process.stdout.columns));
    const [first] = report.rotated;
    const env =
      file !== undefined && first !== undefined
        ? await saveSecret(file, undefined, { ...first.link, warnings: [] })
        : undefined;
    if (env !== undefined) this.log(`${env.file} has the new secret in ${env.envKey}.`);
    for (const warning of [...report.warnings, ...(env?.warnings ?? [])]) this.logToStderr(renderWarning(warning));
    return { ...report, planned, ...(env === undefined ? {} : { env }) };
  }
}

import { Flags } from '@oclif/core';
import { adopt, type Adopted } from '../lib/adopt/adopt.ts';
import { readOther, type Where } from '../lib/adopt/read.ts';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { describeApplied } from '../lib/config/apply.ts';
import { exec } from '../lib/system/exec.ts';
import { confirm } from '../lib/ui/prompt.ts';
import { renderWarning } from '../lib/ui/warning.ts';

export default class Adopt extends BaseCommand {
  static override summary = 'Take over the settings and secrets of another proxy, so that its links stay valid.';
  static override description = `Reads mtg, the official MTProxy or mtprotoproxy: what its unit or process was started with, or a file of its settings.
The other proxy is not touched. Without --yes the plan is shown, and on a terminal asked about.`;

  static override flags = {
    unit: Flags.string({ exactlyOne: ['unit', 'pid', 'file'], helpValue: 'NAME', summary: 'Unit of systemd.' }),
    pid: Flags.integer({ min: 1, helpValue: 'N', summary: 'Process that runs.' }),
    file: Flags.string({
      helpValue: 'FILE',
      summary: 'Its file: .toml of mtg, config.py of mtprotoproxy, or .service.',
    }),
    'dry-run': Flags.boolean({ summary: 'Show what would be done and change nothing.' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> --unit mtg.service',
    '<%= config.bin %> <%= command.id %> --file /opt/mtprotoproxy/config.py --yes',
  ];

  async run(): Promise<Adopted> {
    const { flags } = await this.parse(Adopt);
    const paths = this.paths(flags);
    const { unit, pid, file = '' } = flags;
    const where: Where = unit !== undefined ? { unit } : pid !== undefined ? { pid } : { file };
    const found = await readOther(where, exec);
    const plan = await adopt(paths, found, { dryRun: true, env: process.env });
    this.show(plan);
    const isWanted =
      !flags['dry-run'] && (flags.yes || (process.stdin.isTTY && (await confirm('Take this over?', '--yes'))));
    if (!isWanted) {
      this.log('Nothing was changed. With --yes it is done.');
      return plan;
    }
    const done = await adopt(paths, found, { dryRun: false, env: process.env });
    for (const line of describeApplied(done.config, `${done.config.file} says so already.`)) this.log('%s', line);
    const stop =
      unit !== undefined ? `systemctl disable --now ${unit}` : pid !== undefined ? `kill ${pid}` : 'as it was started';
    this.log(`Now stop ${done.program} (${stop}), then run: ${this.config.bin} start`);
    return done;
  }

  /** Never a secret: their kinds only. */
  private show({ program, modes, users, notes, config }: Adopted): void {
    this.log(`Found ${program}; links of the kind ${modes.join(', ')} stay valid.`);
    for (const { name, present } of users) this.log(`  secret of ${name}: ${present ? 'is here already' : 'is added'}`);
    for (const line of describeApplied(config, `${config.file} says so already.`).slice(0, -1)) this.log('%s', line);
    for (const note of notes) this.logToStderr(renderWarning(note));
  }
}

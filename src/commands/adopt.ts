import { Flags } from '@oclif/core';
import { randomBytes } from 'node:crypto';
import { adopt, type Adopted } from '../lib/adopt/adopt.ts';
import type { Found } from '../lib/adopt/found.ts';
import { readOther, type Where } from '../lib/adopt/read.ts';
import type { SwitchPlan } from '../lib/adopt/switch-plan.ts';
import {
  describeSwitched,
  performSwitch,
  type Prepared,
  prepareSwitch,
  refuseBlocked,
  type Switched,
} from '../lib/adopt/switch.ts';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { describeApplied, describeWritten } from '../lib/config/apply.ts';
import { exec } from '../lib/system/exec.ts';
import type { Paths } from '../lib/system/paths.ts';
import { confirm } from '../lib/ui/prompt.ts';
import { shownStep, silentStep } from '../lib/ui/steps.ts';
import { renderWarning } from '../lib/ui/warning.ts';

const PROBE = { timeoutMs: 5_000, random: randomBytes, now: Date.now };
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** With --switch, also what is to become of the other proxy, and what has. */
type Result = Adopted & { switchPlan?: SwitchPlan; switched?: Switched };

export default class Adopt extends BaseCommand {
  static override summary = 'Take over the settings and secrets of another proxy, so that its links stay valid.';
  static override description = `Reads mtg, the official MTProxy or mtprotoproxy: what its unit or process was started with, or a file of its settings.
The other proxy is not touched, unless --switch is given: then it is stopped, mtp takes its port, and where a link does not
work as before, the other one is started again. Without --yes the plan is shown, and on a terminal asked about.`;

  static override flags = {
    unit: Flags.string({ exactlyOne: ['unit', 'pid', 'file'], helpValue: 'NAME', summary: 'Unit of systemd.' }),
    pid: Flags.integer({ min: 1, helpValue: 'N', summary: 'Process that runs.' }),
    file: Flags.string({
      helpValue: 'FILE',
      summary: 'Its file: .toml of mtg, config.py of mtprotoproxy, or .service.',
    }),
    switch: Flags.boolean({
      exclusive: ['file'],
      summary: 'Stop it and serve in its place; start it again where that does not hold.',
    }),
    'allow-root': Flags.boolean({
      env: 'MTP_ALLOW_ROOT',
      summary: 'With --switch: let the engine run as root, where there is no user mtp.',
    }),
    'dry-run': Flags.boolean({ summary: 'Show what would be done and change nothing.' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> --unit mtg.service',
    '<%= config.bin %> <%= command.id %> --unit mtg.service --switch --dry-run',
    '<%= config.bin %> <%= command.id %> --file /opt/mtprotoproxy/config.py --yes',
  ];

  async run(): Promise<Result> {
    const { flags } = await this.parse(Adopt);
    const paths = this.paths(flags);
    const { unit, pid, file = '' } = flags;
    const where: Where = unit !== undefined ? { unit } : pid !== undefined ? { pid } : { file };
    const found = await readOther(where, exec);
    const plan = await adopt(paths, found, { dryRun: true, env: process.env });
    this.show(plan);
    const prepared = flags.switch && !('file' in where) ? await this.prepare(paths, found, where) : undefined;
    const question = prepared === undefined ? 'Take this over?' : `Take this over, and stop ${found.program}?`;
    const isWanted = !flags['dry-run'] && (flags.yes || (process.stdin.isTTY && (await confirm(question, '--yes'))));
    if (!isWanted) {
      this.log('Nothing was changed. With --yes it is done.');
      return { ...plan, ...(prepared && { switchPlan: prepared.plan }) };
    }
    const done = await adopt(paths, found, { dryRun: false, env: process.env });
    for (const line of describeWritten(done.config)) this.log('%s', line);
    if (prepared === undefined) {
      if (!flags.switch) this.log(`Now stop ${done.program} (${howToStop(where)}), then run: ${this.config.bin} start`);
      return done;
    }
    const switched = await this.perform(paths, prepared, flags['allow-root']);
    return { ...done, switchPlan: prepared.plan, switched };
  }

  /** Undefined where the unit does not run: then there is nothing to stop. */
  private async prepare(
    paths: Paths,
    found: Found,
    where: Exclude<Where, { file: string }>,
  ): Promise<Prepared | undefined> {
    const prepared = await prepareSwitch(paths, found, where, { exec, probe: PROBE });
    if (prepared === undefined) {
      this.log(
        `${found.program} does not run: there is nothing to switch. Start the proxy with: ${this.config.bin} start`,
      );
      return undefined;
    }
    for (const line of prepared.plan.willDo) this.log('%s', `  then: ${line}`);
    refuseBlocked(prepared.plan);
    return prepared;
  }

  private async perform(paths: Paths, prepared: Prepared, allowRoot: boolean): Promise<Switched> {
    let stopped = false;
    const stop = (): void => void (stopped = true);
    for (const name of STOP_SIGNALS) process.on(name, stop);
    const step = this.jsonEnabled() || !process.stdout.isTTY ? silentStep : shownStep;
    try {
      const edges = { exec, probe: PROBE, step, allowRoot, stopped: () => stopped };
      const switched = await performSwitch(paths, prepared, edges);
      for (const line of describeSwitched(prepared.plan, switched)) this.log('%s', line);
      for (const warning of switched.warnings) this.logToStderr(renderWarning(warning));
      return switched;
    } finally {
      for (const name of STOP_SIGNALS) process.off(name, stop);
    }
  }

  /** Never a secret: their kinds only. */
  private show({ program, modes, users, notes, config }: Adopted): void {
    this.log(`Found ${program}; links of the kind ${modes.join(', ')} stay valid.`);
    for (const { name, present } of users) this.log(`  secret of ${name}: ${present ? 'is here already' : 'is added'}`);
    for (const line of describeApplied(config, `${config.file} says so already.`).slice(0, -1)) this.log('%s', line);
    for (const note of notes) this.logToStderr(renderWarning(note));
  }
}

function howToStop(where: Where): string {
  if ('unit' in where) return `systemctl disable --now ${where.unit}`;
  return 'pid' in where ? `kill ${where.pid}` : 'as it was started';
}

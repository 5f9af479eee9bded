import { Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { tuneFlags } from '../../lib/cli/tune-flags.ts';
import { EXIT } from '../../lib/errors.ts';
import { findContainer } from '../../lib/host/container.ts';
import { applyTune, type TuneOutcome } from '../../lib/tune/apply.ts';
import { tuneFacts } from '../../lib/tune/facts.ts';
import { assertMayTune } from '../../lib/tune/guard.ts';
import { kernelAt } from '../../lib/tune/kernel.ts';
import { planTune } from '../../lib/tune/plan.ts';
import { outcomeLines, planLines } from '../../lib/tune/text.ts';
import { confirm } from '../../lib/ui/prompt.ts';

export default class TuneApply extends BaseCommand {
  static override summary = 'Set what "plan" shows, now and for the next boot, and save the values from before.';
  static override description = 'Exit status 2 when the kernel refused some of it; what it refused is named.';

  static override flags = {
    ...tuneFlags,
    yes: Flags.boolean({ summary: 'Do not ask.' }),
    'in-container': Flags.boolean({ summary: 'Go on in a container, whose kernel others share.' }),
  };

  static override examples = [
    'sudo <%= config.bin %> <%= command.id %>',
    'sudo <%= config.bin %> <%= command.id %> --yes --only net.ipv4',
  ];

  async run(): Promise<TuneOutcome> {
    const { flags } = await this.parse(TuneApply);
    assertMayTune(process.getuid?.() === 0, await findContainer(), flags['in-container']);
    const paths = this.paths(flags);
    const kernel = kernelAt();
    const plan = await planTune(await tuneFacts(paths, kernel), { kernel, root: flags.prefix }, flags.only);
    const isEmpty = !plan.lines.some(({ action }) => action === 'change');
    if (!flags.yes && !isEmpty) {
      for (const line of planLines(plan)) this.log('%s', line);
      if (!(await confirm('Change these?', '--yes'))) return { file: plan.file, set: [], refused: [] };
    }
    const outcome = await applyTune(plan, kernel, paths.state);
    for (const line of outcomeLines(outcome)) this.log('%s', line);
    if (outcome.refused.length > 0) process.exitCode = EXIT.warnings;
    return outcome;
  }
}

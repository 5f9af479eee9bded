import { BaseCommand } from '../../lib/cli/base-command.ts';
import { tuneFlags } from '../../lib/cli/tune-flags.ts';
import { tuneFacts } from '../../lib/tune/facts.ts';
import { kernelAt } from '../../lib/tune/kernel.ts';
import { planTune, type TunePlan as Plan } from '../../lib/tune/plan.ts';
import { planLines } from '../../lib/tune/text.ts';

export default class TunePlan extends BaseCommand {
  static override summary = 'Show which settings of the kernel would be changed, and why. Changes nothing.';

  static override flags = tuneFlags;

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --only net.ipv4',
  ];

  async run(): Promise<Plan> {
    const { flags } = await this.parse(TunePlan);
    const kernel = kernelAt();
    const facts = await tuneFacts(this.paths(flags), kernel);
    const plan = await planTune(facts, { kernel, root: flags.prefix }, flags.only);
    for (const line of planLines(plan)) this.log('%s', line);
    return plan;
  }
}

import { Args, Flags } from '@oclif/core';
import { describePlanned } from '../../lib/access/describe.ts';
import { type GuardEffect, notifyGuard } from '../../lib/access/notify.ts';
import { goesOn, hitsOfRules, type OwnAddress } from '../../lib/access/own-hits.ts';
import { assertNoFaults, describeFaults, readRuleFile, type RuleFile } from '../../lib/access/rule-file.ts';
import { countActions, keepRules, planRules } from '../../lib/access/store.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { changeFlags, ruleFlags } from '../../lib/cli/rule-flags.ts';
import { EXIT } from '../../lib/errors.ts';
import { plural } from '../../lib/ui/format.ts';
import { renderWarning } from '../../lib/ui/warning.ts';

export default class AccessImport extends BaseCommand {
  static override summary = 'Take rules from a file: CSV of "access export", or a network a line.';
  static override description = `A line that is wrong is named, and keeps all others out unless --partial is given; exit status 2 when some were left out.
For a network a line, --level says what they are let do. A long list that changes is better kept as a feed.`;

  static override args = {
    file: Args.string({ required: true, ignoreStdin: true, description: 'File to read; - is standard input' }),
  };

  static override flags = {
    ...ruleFlags,
    partial: Flags.boolean({ summary: 'Take the lines that are right, and leave out the others.' }),
    ...changeFlags,
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> rules.csv --dry-run',
    '<%= config.bin %> <%= command.id %> banned.txt --level NONE --reason "from the old server"',
  ];

  async run(): Promise<
    Record<'added' | 'changed' | 'same', number> & {
      faults: RuleFile['faults'];
      hits: OwnAddress[];
      dryRun: boolean;
      effect: GuardEffect | null;
    }
  > {
    const { args, flags } = await this.parse(AccessImport);
    const paths = this.paths(flags);
    const now = Date.now();
    const dryRun = flags['dry-run'];
    const file = await readRuleFile(args.file, flags, now);
    for (const line of describeFaults(file)) this.logToStderr('%s', line);
    if (!flags.partial) assertNoFaults(file);
    const planned = await planRules(paths, file.wishes, now);
    const hits = await hitsOfRules(paths, file.wishes, now);
    const [yes, warn] = [flags.yes || dryRun, (text: string) => this.logToStderr(renderWarning(text))];
    const faults = file.faults;
    if (faults.length > 0) process.exitCode = EXIT.warnings;
    if (!(await goesOn(hits, { yes, warn })) || dryRun) {
      if (dryRun) for (const line of describePlanned(planned)) this.log('%s', line);
      this.log('Nothing was changed.');
      return { ...countActions(dryRun ? planned : []), faults, hits, dryRun, effect: null };
    }
    const kept = await keepRules(paths, file.wishes, now);
    const counts = countActions(kept.planned);
    const effect = await notifyGuard(paths, 'The rules are kept');
    this.log(
      `Added ${plural(counts.added, 'rule')}, changed ${counts.changed}; ${counts.same} were there. ${effect.sentence}`,
    );
    return { ...counts, faults, hits, dryRun, effect };
  }
}

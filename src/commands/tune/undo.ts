import { BaseCommand } from '../../lib/cli/base-command.ts';
import { EXIT } from '../../lib/errors.ts';
import { assertMayTune } from '../../lib/tune/guard.ts';
import { kernelAt } from '../../lib/tune/kernel.ts';
import { undoneLines } from '../../lib/tune/text.ts';
import { type TuneUndone, undoTune } from '../../lib/tune/undo.ts';

export default class TuneUndo extends BaseCommand {
  static override summary = 'Give the kernel the values back that it had before "apply".';

  static override examples = ['sudo <%= config.bin %> <%= command.id %>'];

  async run(): Promise<{ undone: TuneUndone | null }> {
    const { flags } = await this.parse(TuneUndo);
    assertMayTune(process.getuid?.() === 0, undefined, true);
    const undone = await undoTune(kernelAt(), this.paths(flags).state);
    for (const line of undoneLines(undone)) this.log('%s', line);
    if (undone !== null && undone.failed.length > 0) process.exitCode = EXIT.failed;
    return { undone };
  }
}

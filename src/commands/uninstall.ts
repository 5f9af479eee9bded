import { Flags } from '@oclif/core';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { chooseLayout, layoutFlags } from '../lib/cli/layout-flags.ts';
import { exec } from '../lib/system/exec.ts';
import { confirm } from '../lib/ui/prompt.ts';
import { planUninstall, runUninstall, type UninstallAction } from '../lib/uninstall/uninstall.ts';

interface Uninstalled {
  plan: UninstallAction[];
  removed: boolean;
  /** Directories that stay because something else is in them. */
  left: string[];
}

export default class Uninstall extends BaseCommand {
  static override summary =
    'Remove what "init" made, and nothing else. Files that were changed since are kept and named.';

  static override flags = {
    'dry-run': Flags.boolean({ aliases: ['plan'], summary: 'Show what would be removed and remove nothing.' }),
    'keep-data': Flags.boolean({ summary: 'Keep configuration, secrets and state.' }),
    yes: Flags.boolean({ summary: 'Do not ask.' }),
    ...layoutFlags,
  };

  static override examples = [
    'sudo <%= config.bin %> <%= command.id %> --plan',
    'sudo <%= config.bin %> <%= command.id %> --yes --keep-data',
  ];

  async run(): Promise<Uninstalled> {
    const { flags } = await this.parse(Uninstall);
    const layout = chooseLayout(flags, this.paths(flags));
    const plan = await planUninstall(layout, flags['keep-data']);
    if (plan === null) {
      this.log('Nothing to remove: "init" has made nothing here.');
      return { plan: [], removed: false, left: [] };
    }
    for (const action of ['remove', 'keep'] as const) {
      const texts = plan.filter((line) => line.action === action).map(({ text }) => text);
      if (texts.length === 0) continue;
      this.log(action === 'remove' ? 'Will remove' : 'Will keep');
      for (const text of texts) this.log('  %s', text);
    }
    if (flags['dry-run'] || !(flags.yes || (await confirm('Remove these?', '--yes')))) {
      this.log('Nothing was changed.');
      return { plan, removed: false, left: [] };
    }
    const { left } = await runUninstall(plan, layout, exec);
    for (const dir of left) this.log('Kept %s: something else is in it.', dir);
    this.log('Removed.');
    return { plan, removed: true, left };
  }
}

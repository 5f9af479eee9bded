import { Args, Flags } from '@oclif/core';
import { rm } from 'node:fs/promises';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { pluginsHere } from '../../lib/cli/plugins-here.ts';
import { placePlugin, unpackPlugin } from '../../lib/plugins/install.ts';
import { confirm } from '../../lib/ui/prompt.ts';

export default class PluginsInstall extends BaseCommand {
  static override summary = 'Install a plugin from a tarball, in place of an earlier version.';

  static override description =
    'Its commands run with your rights, and read what you can read. Nothing is fetched and none of its install scripts runs.';

  static override args = {
    file: Args.string({ required: true, description: 'As "npm pack" makes it, .tgz' }),
  };

  static override flags = {
    'dry-run': Flags.boolean({ summary: 'Look whether it can be installed, and do nothing.' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
  };

  static override examples = ['<%= config.bin %> <%= command.id %> mtp-plugin-hello-1.0.0.tgz'];

  async run(): Promise<{ name: string; version: string; commands: string[]; installed: boolean }> {
    const { args, flags } = await this.parse(PluginsInstall);
    const { directory, uid } = pluginsHere();
    const taken = new Map(this.config.commands.map(({ id, pluginName = 'mtp' }) => [id, pluginName]));
    const unpacked = await unpackPlugin(args.file, directory, taken);
    const { name, version, commands } = unpacked;
    const facts = { name, version, commands };
    const what = `${name} ${version}, with ${commands.map((id) => `"mtp ${id}"`).join(', ')}`;
    const rights = uid === 0 ? 'with the rights of root' : 'with your rights';
    try {
      if (flags['dry-run']) {
        this.log(`Dry run: ${what}, would be installed; nothing was changed.`);
        return { ...facts, installed: false };
      }
      if (!flags.yes && !(await confirm(`Install ${what}? It runs ${rights}.`, '--yes'))) {
        this.log('Nothing was changed.');
        return { ...facts, installed: false };
      }
      await placePlugin(unpacked, directory, uid);
    } finally {
      await rm(unpacked.directory, { recursive: true, force: true });
    }
    this.log(`Installed ${what}. It runs ${rights}.`);
    return { ...facts, installed: true };
  }
}

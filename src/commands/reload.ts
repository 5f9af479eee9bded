import { Flags } from '@oclif/core';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { describeReload, reload, type Reloaded } from '../lib/service/reload.ts';
import { confirm } from '../lib/ui/prompt.ts';

export default class Reload extends BaseCommand {
  static override summary = 'Have the running proxy serve what the files say now, and prove that it does.';

  static override description = `Open connections go on. Files that are wrong change nothing. Where a handshake shows that the change does not hold,
what was in force before is restored, and the exit status is 6.
Some settings, such as listen.port and workers.count, need another engine process: it is started beside the running one,
proves itself, and takes over without refusing a connection.`;

  static override flags = {
    'dry-run': Flags.boolean({ default: false, summary: 'Say what would change and change nothing.' }),
    'hand-over': Flags.boolean({
      allowNo: true,
      exclusive: ['yes'],
      summary: 'Replace the engine where a setting needs that, or leave such settings for later.',
    }),
    yes: Flags.boolean({ char: 'y', default: false, summary: 'Do not ask before the engine is replaced.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> --yes',
    '<%= config.bin %> <%= command.id %> --no-hand-over',
  ];

  async run(): Promise<Reloaded> {
    const { flags } = await this.parse(Reload);
    const reloaded = await reload(this.paths(flags), {
      dryRun: flags['dry-run'],
      handOver: flags.yes ? true : flags['hand-over'],
      ask: async (keys) =>
        confirm(`Another engine process is needed for ${keys.join(', ')}. Replace the engine now?`, '--yes'),
    });
    for (const line of describeReload(reloaded)) this.log('%s', line);
    return reloaded;
  }
}

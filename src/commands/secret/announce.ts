import { BaseCommand } from '../../lib/cli/base-command.ts';
import { announceAll } from '../../lib/rotation/announce-all.ts';
import { wrap } from '../../lib/ui/wrap.ts';

export default class SecretAnnounce extends BaseCommand {
  static override summary = 'Tell the hook on-rotate of new secrets that it has not been told of.';

  static override description =
    'The running proxy does so by itself, and tries again where the hook fails. This is for a hook that was mended, or where ' +
    'no proxy runs.';

  static override examples = ['<%= config.bin %> <%= command.id %>'];

  async run(): Promise<{ secrets: number }> {
    const { flags } = await this.parse(SecretAnnounce);
    const { secrets, sentence } = await announceAll(this.paths(flags));
    this.log('%s', wrap(sentence, process.stdout.columns));
    return { secrets };
  }
}

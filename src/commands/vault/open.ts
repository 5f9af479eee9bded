import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { openingFlags } from '../../lib/cli/vault-flags.ts';
import { formatBytes } from '../../lib/ui/format.ts';
import { readLabels } from '../../lib/vault/labels.ts';
import { readPassphrase } from '../../lib/vault/passphrase.ts';
import { openFile } from '../../lib/vault/vault.ts';

export default class VaultOpen extends BaseCommand {
  static override summary = 'Decrypt a sealed file, whole or not at all.';

  static override args = {
    file: Args.string({ required: true, description: 'Sealed file' }),
  };

  static override flags = {
    out: Flags.string({ required: true, summary: 'Where to write.', helpValue: 'FILE' }),
    ...openingFlags,
    aad: Flags.string({
      summary: 'Refuse a file that has not this label; may be repeated.',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME=VALUE',
    }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> keyring.sealed --out keyring.json',
    '<%= config.bin %> <%= command.id %> ledger.db.sealed --out ledger.db --aad host=proxy.example.com',
  ];

  async run(): Promise<{ file: string; bytes: number; algorithm: string; labels: Record<string, string> }> {
    const { args, flags } = await this.parse(VaultOpen);
    const { out: file, force: replace } = flags;
    const expected = readLabels(flags.aad ?? []);
    const passphrase = await readPassphrase(flags['passphrase-file'], { fresh: false });
    const { bytes, header } = await openFile(args.file, { file, replace }, passphrase, expected);
    const { algorithm, labels } = header;
    this.log(`Opened ${args.file} into ${file}: ${formatBytes(bytes)}, all of it as it was sealed.`);
    for (const [name, value] of Object.entries(labels)) this.log('%s', `${name}=${value}`);
    return { file, bytes, algorithm, labels };
  }
}

import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { openingFlags, sealingFlags } from '../../lib/cli/vault-flags.ts';
import { sealingOf } from '../../lib/keyring/policy.ts';
import { formatBytes } from '../../lib/ui/format.ts';
import { readLabels } from '../../lib/vault/labels.ts';
import { readPassphrase } from '../../lib/vault/passphrase.ts';
import { sealFile } from '../../lib/vault/vault.ts';

export default class VaultSeal extends BaseCommand {
  static override summary = 'Encrypt a file under a passphrase, into another one.';

  static override args = {
    file: Args.string({ required: true, description: 'File to encrypt' }),
  };

  static override flags = {
    out: Flags.string({ summary: 'Where to write; FILE.sealed if not given.', helpValue: 'FILE' }),
    ...sealingFlags,
    ...openingFlags,
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> keyring.json --out keyring.sealed',
    '<%= config.bin %> <%= command.id %> ledger.db --aad host=proxy.example.com --passphrase-file phrase.txt',
  ];

  async run(): Promise<{ file: string; bytes: number; algorithm: string; labels: Record<string, string> }> {
    const { args, flags } = await this.parse(VaultSeal);
    const labels = readLabels(flags.aad ?? []);
    const file = flags.out ?? `${args.file}.sealed`;
    const passphrase = await readPassphrase(flags['passphrase-file'], { fresh: true });
    const { force: replace } = flags;
    const { algorithm, cost } = await sealingOf(this.paths(flags), {
      algorithm: flags.algorithm,
      cost: flags['kdf-cost'],
    });
    const bytes = await sealFile(args.file, { file, replace }, passphrase, { algorithm, cost, labels });
    this.log(`Sealed ${args.file} into ${file} with ${algorithm}: ${formatBytes(bytes)}.`);
    return { file, bytes, algorithm, labels };
  }
}

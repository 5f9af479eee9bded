import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { openingFlags, sealingFlags } from '../../lib/cli/vault-flags.ts';
import { sealingOf } from '../../lib/keyring/policy.ts';
import { formatBytes } from '../../lib/ui/format.ts';
import { readPassphrase } from '../../lib/vault/passphrase.ts';
import { resealFile } from '../../lib/vault/vault.ts';

export default class VaultReseal extends BaseCommand {
  static override summary = 'Seal the contents of a sealed file anew, with another cipher or cost.';

  static override description =
    'Passphrase and labels stay. Nothing is on the disk in the clear, and the file stays as it is until the new one is whole.';

  static override args = {
    file: Args.string({ required: true, description: 'Sealed file' }),
  };

  static override flags = {
    ...sealingFlags,
    out: Flags.string({ summary: 'Where to write; in place of the file if not given.', helpValue: 'FILE' }),
    'passphrase-file': openingFlags['passphrase-file'],
    force: openingFlags.force,
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %> keyring.sealed --algorithm xchacha20-poly1305',
    '<%= config.bin %> <%= command.id %> ledger.db.sealed --kdf-cost 18 --passphrase-file phrase.txt',
  ];

  async run(): Promise<{ file: string; bytes: number; before: string; algorithm: string; cost: number }> {
    const { args, flags } = await this.parse(VaultReseal);
    const how = await sealingOf(this.paths(flags), { algorithm: flags.algorithm, cost: flags['kdf-cost'] });
    const file = flags.out ?? args.file;
    const replace = flags.force || flags.out === undefined;
    const passphrase = await readPassphrase(flags['passphrase-file'], { fresh: false });
    const { bytes, before } = await resealFile(args.file, { file, replace }, passphrase, how);
    this.log(
      `Sealed ${file} anew with ${how.algorithm} at cost ${how.cost}: ${formatBytes(bytes)}; it had ${before.algorithm} at ${before.cost}.`,
    );
    return { file, bytes, before: before.algorithm, ...how };
  }
}

import { Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { ALGORITHMS } from '../../lib/keyring/algorithms.ts';
import { rotationCipher } from '../../lib/keyring/policy.ts';
import { rotateKeys, type Rotation } from '../../lib/keyring/rotate.ts';
import { plural } from '../../lib/ui/format.ts';

export default class KeysRotate extends BaseCommand {
  static override summary = 'Seal every secret under a new key, and drop the old one.';

  static override description = `The secrets themselves stay as they are: no link changes, and nobody is disconnected.
A rotation that was cut off is finished by the next one.`;

  static override flags = {
    algorithm: Flags.option({ options: ALGORITHMS })({
      summary: 'Seal with this from now on; by default with what sealed them so far.',
    }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --algorithm xchacha20-poly1305',
  ];

  async run(): Promise<Rotation> {
    const { flags } = await this.parse(KeysRotate);
    const paths = this.paths(flags);
    const rotation = await rotateKeys(paths, await rotationCipher(paths, flags.algorithm));
    const { key, secrets, resumed } = rotation;
    if (resumed) this.log('A rotation that was cut off is finished.');
    this.log(`Sealed ${plural(secrets, 'secret')} under key ${key.id} (${key.algorithm}) and opened each again.`);
    this.log('The old key is gone from the keyring: make a new copy of it and of the ledger.');
    return rotation;
  }
}

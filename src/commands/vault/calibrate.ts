import { Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { formatBytes } from '../../lib/ui/format.ts';
import { formatTable } from '../../lib/ui/table.ts';
import { calibrate, type Calibration } from '../../lib/vault/calibrate.ts';

export default class VaultCalibrate extends BaseCommand {
  static override summary = 'Measure what it costs to try a passphrase on this machine, and suggest a cost.';

  static override flags = {
    ms: Flags.integer({ default: 1000, min: 1, summary: 'Longest that opening may take, in milliseconds.' }),
    memory: Flags.integer({ default: 256, min: 32, summary: 'Most memory that it may take, in MB.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --ms 3000 --memory 1024',
  ];

  async run(): Promise<Calibration> {
    const { flags } = await this.parse(VaultCalibrate);
    const { ms: targetMs, memory } = flags;
    const result = await calibrate({ targetMs, mostBytes: memory * 2 ** 20 }, () => performance.now());
    const rows = result.measures.map(({ cost, bytes, ms }) => [String(cost), formatBytes(bytes), `${ms} ms`]);
    for (const line of formatTable(['COST', 'MEMORY', 'TIME'], rows)) this.log(line);
    const { cost, N, r, p } = result.suggested;
    this.log(
      result.fits
        ? `Suggested: ${cost} (N = ${N}, r = ${r}, p = ${p}). Take it with: ${this.config.bin} config set crypto.kdf_cost ${cost}`
        : `None keeps to ${targetMs} ms; ${cost} (N = ${N}, r = ${r}, p = ${p}) is the least there is.`,
    );
    return result;
  }
}

import { Flags } from '@oclif/core';
import path from 'node:path';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import type { EngineReply } from '../../lib/control/schema.ts';
import { describeRenewal, renewEngine } from '../../lib/service/renew-engine.ts';

export default class EngineUpgrade extends BaseCommand {
  static override summary = 'Put a fresh engine in the place of the running one, without refusing a connection.';

  static override description = `The engine is started from the package as it is on the disk now, so that an upgraded package is taken into use.
It has to prove itself first; where it does not, the running engine goes on and the exit status is 6.`;

  static override flags = {
    package: Flags.directory({ helpValue: 'DIR', summary: 'Take the engine from this package directory.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --package /opt/mtp-next',
  ];

  async run(): Promise<EngineReply> {
    const { flags } = await this.parse(EngineUpgrade);
    const named = flags.package === undefined ? {} : { package: path.resolve(flags.package) };
    const reply = await renewEngine(this.paths(flags), { action: 'upgrade', ...named });
    for (const line of describeRenewal(reply)) this.log('%s', line);
    return reply;
  }
}

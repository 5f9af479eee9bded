import { BaseCommand } from '../../lib/cli/base-command.ts';
import type { EngineReply } from '../../lib/control/schema.ts';
import { describeRenewal, renewEngine } from '../../lib/service/renew-engine.ts';

export default class EngineRollback extends BaseCommand {
  static override summary = 'Go back to the engine that ran before the last upgrade, without refusing a connection.';

  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<EngineReply> {
    const { flags } = await this.parse(EngineRollback);
    const reply = await renewEngine(this.paths(flags), { action: 'rollback' });
    for (const line of describeRenewal(reply)) this.log('%s', line);
    return reply;
  }
}

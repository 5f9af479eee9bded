import { BaseCommand } from '../lib/cli/base-command.ts';
export default class Link extends BaseCommand {
  static override summary = 'x';
  async run(): Promise<void> {
    await this.parse(Link);
    this.log('x');
  }
}

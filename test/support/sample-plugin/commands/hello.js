import { Args, BaseCommand, EXIT, MtpError } from 'mtp/plugin';

export default class Hello extends BaseCommand {
  static summary = 'Say hello to somebody.';
  static args = { name: Args.string({ required: true }) };

  async run() {
    const { args, flags } = await this.parse(Hello);
    if (args.name === 'nobody') throw new MtpError('NOBODY', 'nobody is there', { exit: EXIT.precondition });
    this.log(`Hello ${args.name}.`);
    return { hello: args.name, state: this.paths(flags).state };
  }
}

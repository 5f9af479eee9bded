import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { firewallEdges, firewallFlags } from '../../lib/cli/firewall-flags.ts';
import { lintExit, lintFirewall, type LintResult } from '../../lib/firewall/lint/lint.ts';
import { lintLines } from '../../lib/firewall/lint/text.ts';
import { paint } from '../../lib/ui/paint.ts';

export default class FirewallLint extends BaseCommand {
  static override summary = 'Name the faults of the rules in force, or of a recipe before it is run.';
  static override description = `A recipe has shell lines of iptables, ip6tables, ufw, nft and docker, or is a file of nftables. It is read, never run.
Exit status 3 when an error was found, 2 when only warnings.`;

  static override args = {
    file: Args.string({ description: 'The recipe; without it the rules in force.' }),
  };

  static override flags = {
    'ssh-port': Flags.integer({
      multiple: true,
      default: [22],
      min: 1,
      max: 65_535,
      helpValue: 'PORT',
      summary: 'Port of SSH where the recipe is to be run; the rules in force are held against what sshd says.',
    }),
    prefix: firewallFlags.prefix,
  };

  static override examples = [
    'sudo <%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> recipe.sh',
    '<%= config.bin %> <%= command.id %> recipe.sh --ssh-port 2222 --json',
  ];

  async run(): Promise<LintResult> {
    const { args, flags } = await this.parse(FirewallLint);
    const edges = { ...firewallEdges({}), sshPorts: flags['ssh-port'], root: flags.prefix };
    const result = await lintFirewall(args.file, edges);
    for (const line of lintLines(result, paint(process.stdout))) this.log('%s', line);
    process.exitCode = lintExit(result);
    return result;
  }
}

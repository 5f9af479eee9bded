import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { bestLink, loadAccess, type UserLink } from '../lib/link/access.ts';
import type { Reach } from '../lib/link/server.ts';
import { renderWarning } from '../lib/ui/warning.ts';
import { loadFirst, loadUser } from '../lib/users/load.ts';
import { accessWarnings, requireSecret } from '../lib/users/user.ts';

export default class Link extends BaseCommand {
  static override summary = 'Print the link that a Telegram client opens, on a terminal with its QR code.';

  static override args = {
    name: Args.string({ description: 'Whose link to print; the first user if nobody is named' }),
  };

  static override flags = {
    qr: Flags.boolean({
      allowNo: true,
      summary: 'Draw the QR code; by default on a terminal only, or as "mtp preferences qr" says.',
    }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> bob --qr',
    '<%= config.bin %> <%= command.id %> bob --json',
  ];

  async run(): Promise<UserLink & { name: string; server: string; port: number; reach: Reach; warnings: string[] }> {
    const { args, flags } = await this.parse(Link);
    const paths = this.paths(flags);
    const loading = args.name === undefined ? loadFirst(paths) : loadUser(paths, args.name);
    const [{ user, warnings: found }, access] = await Promise.all([loading, loadAccess(paths)]);
    const link = bestLink(requireSecret(user), access);
    const warnings = [...found, ...access.warnings, ...accessWarnings(user, Date.now())];
    this.log(link.tg);
    this.log(link.https);
    if (await this.wantsQr(flags.qr)) await this.printQr(link.tg);
    for (const warning of warnings) this.logToStderr(renderWarning(warning));
    const { server, port, reach } = access;
    return { name: user.name, ...link, server, port, reach, warnings };
  }

  /** Scripts neither see a QR code nor pay for looking the preference up. */
  private async wantsQr(flag: boolean | undefined): Promise<boolean> {
    if (this.jsonEnabled() || (flag === undefined && !process.stdout.isTTY)) return false;
    const { wantsQr } = await import('../lib/ui/preferences.ts');
    return wantsQr(flag, true);
  }

  private async printQr(text: string): Promise<void> {
    const { drawQr, qrStyle } = await import('../lib/ui/qr.ts');
    const { lines, columns } = await drawQr(text, qrStyle(process.stdout));
    const room = process.stdout.columns;
    if (process.stdout.isTTY && columns > room) {
      this.logToStderr(renderWarning(`The QR code needs ${columns} columns and the terminal has ${room}.`));
    } else {
      for (const line of lines) this.log(line);
    }
  }
}

import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { ADDRESS_URLS } from '../lib/host/outside.ts';
import { bestLink, loadAccess, type UserLink } from '../lib/link/access.ts';
import { type WantedFiles, writeLinkFiles } from '../lib/link/files.ts';
import { findServer, findServerEdges } from '../lib/link/find-server.ts';
import type { Reach } from '../lib/link/server.ts';
import { terminalAsker } from '../lib/ui/ask.ts';
import { renderWarning } from '../lib/ui/warning.ts';
import { loadFirst, loadUser } from '../lib/users/load.ts';
import { accessWarnings, requireSecret } from '../lib/users/user.ts';

interface LinkResult extends UserLink {
  name: string;
  server: string;
  port: number;
  reach: Reach;
  /** Those that were written. */
  files: string[];
  warnings: string[];
}

/** A link, and what it is made of. */
interface Shown {
  name: string;
  link: UserLink;
  access: Pick<LinkResult, 'server' | 'port' | 'reach'>;
  warnings: string[];
}

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
    out: Flags.string({ helpValue: 'FILE', summary: 'Write the QR code into this file, .svg or .png.' }),
    sheet: Flags.string({ helpValue: 'FILE', summary: 'Write a page to print or hand over into this file, .html.' }),
    force: Flags.boolean({ summary: 'Replace a file that is there.' }),
    server: Flags.string({ helpValue: 'HOST', summary: 'Name or address of this server, this time only.' }),
    host: Flags.string({
      helpValue: 'HOST',
      exclusive: ['server', 'offline'],
      summary: 'The link of another machine of the fleet, as it hands it out.',
    }),
    offline: Flags.boolean({ summary: 'Do not ask outside which address this server has.' }),
    'address-url': Flags.string({
      multiple: true,
      default: ADDRESS_URLS,
      helpValue: 'URL',
      summary: 'Web service that answers with the address of its caller; may be given twice.',
    }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> bob --qr',
    '<%= config.bin %> <%= command.id %> bob --out bob.png',
    '<%= config.bin %> <%= command.id %> bob --sheet bob.html',
    '<%= config.bin %> <%= command.id %> bob --host fra',
    '<%= config.bin %> <%= command.id %> bob --json',
  ];

  async run(): Promise<LinkResult> {
    const { args, flags } = await this.parse(Link);
    const paths = this.paths(flags);
    if (flags.host !== undefined) return this.showRemote(paths, flags.host, args.name, flags);
    const loading = args.name === undefined ? loadFirst(paths) : loadUser(paths, args.name);
    const { user, warnings: ofUsers } = await loading;
    const ask = this.jsonEnabled() ? null : terminalAsker();
    const urls = flags.offline ? [] : flags['address-url'];
    const found = await findServer(paths, flags.server, findServerEdges(ask, urls));
    const access = await loadAccess(paths, { server: found.server });
    const link = bestLink(requireSecret(user), access);
    const warnings = [...ofUsers, ...found.warnings, ...access.warnings, ...accessWarnings(user, Date.now())];
    return this.show({ name: user.name, link, access, warnings }, flags);
  }

  /** The same for a host of the fleet. */
  private async showRemote(
    paths: ReturnType<Link['paths']>,
    host: string,
    given: string | undefined,
    flags: WantedFiles & { qr?: boolean | undefined },
  ): Promise<LinkResult> {
    const { linkOn } = await import('../lib/fleet/links.ts');
    const name = given ?? (await loadFirst(paths)).user.name;
    const link = await linkOn(paths, host, name);
    return this.show({ name, link, access: link, warnings: link.warnings }, flags);
  }

  private async show(
    { name, link, access, warnings }: Shown,
    flags: WantedFiles & { qr?: boolean | undefined },
  ): Promise<LinkResult> {
    const { server, port, reach } = access;
    this.log(link.tg);
    this.log(link.https);
    if (await this.wantsQr(flags.qr)) await this.printQr(link.tg);
    const files = await writeLinkFiles({ name, link, server, port }, flags);
    for (const file of files) this.log('Wrote %s; it holds the secret.', file);
    for (const warning of warnings) this.logToStderr(renderWarning(warning));
    const { mode, secret, tg, https } = link;
    return { name, mode, secret, tg, https, server, port, reach, files, warnings };
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

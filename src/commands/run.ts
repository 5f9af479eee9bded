import { Flags } from '@oclif/core';
import type { DaemonOutput, Ready, Stopped } from '../daemon/main.ts';
import { BaseCommand } from '../lib/cli/base-command.ts';
import type { FlagValue } from '../lib/config/evaluate.ts';
import { type Access, bestLink, type UserLink } from '../lib/link/access.ts';
import { currentSecret, type User } from '../lib/users/user.ts';
import { paint } from '../lib/ui/paint.ts';
import { drawQr, qrStyle } from '../lib/ui/qr.ts';
import { coverLines, fit, servingLines, telegramLines } from '../lib/ui/screen.ts';
import { shownStep, silentStep } from '../lib/ui/steps.ts';
import { renderWarning } from '../lib/ui/warning.ts';
import { plural } from '../lib/ui/format.ts';

export default class Run extends BaseCommand {
  static override summary = 'Run the proxy in the foreground until a signal ends it.';

  static override description = `The first run makes a user, a secret and a configuration file; later runs keep them.
SIGTERM and Ctrl-C let open connections end first, a second Ctrl-C does not wait, SIGHUP reads the files again.`;

  static override flags = {
    host: Flags.string({ helpValue: 'ADDRESS', summary: 'Address to accept clients on.' }),
    port: Flags.integer({ helpValue: 'PORT', min: 1, max: 65_535, summary: 'Port to accept clients on.' }),
    workers: Flags.integer({ helpValue: 'COUNT', min: 1, max: 64, summary: 'Worker threads.' }),
    daemon: Flags.boolean({ summary: 'Print nothing but log lines in JSON, as a service does.' }),
    'allow-root': Flags.boolean({
      env: 'MTP_ALLOW_ROOT',
      summary: 'Let the engine run as root, where there is no user mtp.',
    }),
    'log-file': Flags.string({
      dependsOn: ['daemon'],
      helpValue: 'FILE',
      summary: 'Log into this file; SIGUSR1 opens it anew.',
    }),
    qr: Flags.boolean({ allowNo: true, default: true, summary: 'Draw the QR code of the link, or leave it out.' }),
  };

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --port 8443 --no-qr',
    '<%= config.bin %> <%= command.id %> --daemon',
  ];

  async run(): Promise<{ event: 'stopped' } & Stopped> {
    const { flags } = await this.parse(Run);
    const { runDaemon } = await import('../daemon/main.ts');
    const output = await this.output(flags.daemon, flags.qr, flags['log-file']);
    const overrides = (['host', 'port'] as const).map((name) => override(`listen.${name}`, flags[name], name));
    const stopped = await runDaemon({
      paths: this.paths(flags),
      overrides: [...overrides, override('workers.count', flags.workers, 'workers')].flat(),
      version: this.config.version,
      allowRoot: flags['allow-root'],
      asService: flags.daemon,
      output,
    });
    if (!flags.daemon) {
      const cut = stopped.cut === 0 ? 'no connection was cut' : `${plural(stopped.cut, 'connection')} cut`;
      this.log(`Stopped by ${stopped.reason}; ${cut}.`);
    }
    return { event: 'stopped', ...stopped };
  }

  /** Each document on a line of its own, for whoever reads while the proxy runs. */
  protected override logJson(json: unknown): void {
    process.stdout.write(`${JSON.stringify(json)}\n`);
  }

  private async output(asService: boolean, withQr: boolean, logFile?: string): Promise<DaemonOutput> {
    const { humanLog, jsonLog } = await import('../daemon/telemetry/log.ts');
    const { LogFile } = await import('../daemon/telemetry/log-file.ts');
    const file = logFile === undefined ? undefined : new LogFile(logFile);
    const json = this.jsonEnabled();
    const forPeople = !asService && !json;
    const { stderr, stdout } = process;
    const log: DaemonOutput['log'] = (threshold) =>
      forPeople && stderr.isTTY ? humanLog(stderr, threshold, () => new Date()) : jsonLog(file ?? stderr, threshold);
    return {
      log,
      reopen: () => file?.reopen(),
      step: forPeople && stdout.isTTY ? shownStep : silentStep,
      ready: async (ready) => {
        if (json) this.logJson(readyJson(ready));
        if (!forPeople) log({ level: 'info' })('info', 'ready', readyFacts(ready));
        else await this.showReady(ready, withQr);
      },
      probed: ({ dcs, cover }) => {
        if (!forPeople) return;
        const colours = paint(stdout);
        const lines = [...telegramLines(dcs, colours), ...coverLines(cover, colours)];
        for (const line of fit(lines, stdout.columns)) this.log('%s', line);
      },
    };
  }

  private async showReady(ready: Ready, withQr: boolean): Promise<void> {
    const { users, access } = ready;
    const [first] = linksOf(users, access);
    this.log('');
    if (first === undefined) this.log(' Nobody has a secret; add one with: mtp secret add NAME');
    else {
      const { tg, https, name } = first;
      this.log(` Link for ${name}\n\n   ${tg}\n   ${https}\n`);
      if (withQr) await this.showQr(tg);
      if (users.length > 1) this.log(` ${plural(users.length - 1, 'more user')}; print a link with: mtp link NAME\n`);
    }
    const { stdout } = process;
    for (const line of fit(servingLines(ready, paint(stdout)), stdout.columns)) this.log('%s', line);
    for (const warning of access.warnings) this.logToStderr(renderWarning(warning));
  }

  private async showQr(text: string): Promise<void> {
    const { lines, columns } = await drawQr(text, qrStyle(process.stdout));
    if (process.stdout.isTTY && columns > process.stdout.columns) return;
    for (const line of lines) this.log(line);
    this.log('');
  }
}

function override(key: string, value: unknown, flag: string): FlagValue[] {
  return value === undefined ? [] : [{ key, value, flag: `--${flag}` }];
}

/** For programs that start the proxy and go on to use it; the links hold secrets, so this goes to stdout only. */
function readyJson(ready: Ready): object {
  const { users, access, ...facts } = ready;
  const links = linksOf(users, access);
  const { server, reach, warnings } = access;
  return { event: 'ready', ...facts, server, reach, warnings, links };
}

function linksOf(users: User[], access: Access): (UserLink & { name: string })[] {
  return users.flatMap((user) => {
    const secret = currentSecret(user);
    return secret === undefined ? [] : [{ name: user.name, ...bestLink(secret, access) }];
  });
}

function readyFacts({ enginePid, revision, listening, workers, cap, users }: Ready): Record<string, string | number> {
  return {
    engine: enginePid,
    revision: revision.slice(0, 12),
    host: listening.host,
    port: listening.port,
    workers,
    connections: cap.connections,
    bound: cap.bound,
    users: users.length,
  };
}

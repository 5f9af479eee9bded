import { spawn } from 'node:child_process';
import { chown, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getStatus } from '../control/client.ts';
import type { StatusReply } from '../control/schema.ts';
import { MtpError } from '../errors.ts';
import { type Exec, lastWords } from '../system/exec.ts';
import { ownCommand } from '../system/own-command.ts';
import { type Paths, serviceEnvironment } from '../system/paths.ts';

/** Who looks after the daemon: systemd, or nobody once it is started. */
export type ServiceManager = 'systemd' | 'detached';

export interface Service {
  manager: ServiceManager;
  paths: Paths;
  /** Directory of the log file of a detached daemon. */
  logs: string;
  /** Port that it is going to listen on. */
  port: number;
  /** User and groups to run a detached daemon as; undefined for the present ones. */
  account?: { uid: number; gid: number; logGid: number } | undefined;
}

export const UNIT = 'mtp.service';
const LONGEST_START_MS = 30_000;
const LOOK_MS = 50;
const LOG_MODE = 0o640;

/** Start the daemon and wait until its engine serves. When it does not, the error has the last line of its log. */
export async function startService(service: Service, exec: Exec): Promise<StatusReply> {
  const ended = service.manager === 'systemd' ? await startUnit(exec) : await startDetached(service);
  for (const deadline = Date.now() + LONGEST_START_MS; ; await sleep(LOOK_MS)) {
    const status = await getStatus(service.paths).catch(() => undefined);
    if (status?.engine.state === 'running') return status;
    if (ended() || Date.now() > deadline) break;
  }
  const last = await lastLogLine(service, exec);
  throw new MtpError('START_FAILED', `the proxy did not start${last === '' ? '' : `: ${last}`}`, {
    hint: service.manager === 'systemd' ? `See: journalctl -u ${UNIT}` : `See ${logFile(service)}.`,
  });
}

export function logFile({ logs }: Pick<Service, 'logs'>): string {
  return path.join(logs, 'mtp.log');
}

async function startUnit(exec: Exec): Promise<() => boolean> {
  for (const args of [['daemon-reload'], ['enable', UNIT], ['restart', UNIT]]) {
    const ran = await exec('systemctl', args);
    if (ran.status === 0) continue;
    throw new MtpError('START_FAILED', `systemctl ${args.join(' ')} failed: ${lastWords(ran)}`, {
      hint: `See: journalctl -u ${UNIT}`,
    });
  }
  return () => false;
}

/** Without privileges but that of low ports, in a session of its own. */
async function startDetached(service: Service): Promise<() => boolean> {
  const { account, paths } = service;
  const log = await open(logFile(service), 'a', LOG_MODE);
  try {
    if (account !== undefined) await chown(logFile(service), account.uid, account.logGid);
    const [program, args] = asAccount([...ownCommand(), 'run', '--daemon', '--log-file', logFile(service)], service);
    // oclif asks for home and shell, and Node fails where the user has none.
    const env = { PATH: process.env.PATH ?? '', HOME: paths.state, SHELL: '/bin/sh', ...serviceEnvironment(paths) };
    const child = spawn(program, args, { cwd: '/', detached: true, env, stdio: ['ignore', log.fd, log.fd] });
    let over = false;
    child.once('exit', () => (over = true));
    child.once('error', () => (over = true));
    child.unref();
    return () => over;
  } finally {
    await log.close();
  }
}

const FIRST_FREE_PORT = 1024;

function asAccount([program = '', ...args]: string[], { account, port }: Service): [string, string[]] {
  if (account === undefined) return [program, args];
  const ids = [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups', '--no-new-privs'];
  const kept = port < FIRST_FREE_PORT ? '-all,+net_bind_service' : '-all';
  const capabilities = ['bounding-set', 'inh-caps', 'ambient-caps'].map((set) => `--${set}=${kept}`);
  return ['setpriv', [...ids, ...capabilities, program, ...args]];
}

async function lastLogLine(service: Service, exec: Exec): Promise<string> {
  const text =
    service.manager === 'systemd'
      ? (await exec('journalctl', ['-u', UNIT, '-n', '20', '-o', 'cat', '--no-pager'])).stdout
      : await readFile(logFile(service), 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return (lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? '').trim().slice(0, 300);
}

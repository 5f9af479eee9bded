import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, closeSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { loadConfig } from '../config/load.ts';
import { fileError } from '../system/files.ts';
import { openLog } from '../system/log-file.ts';
import { ownCommand } from '../system/own-command.ts';
import { type Paths, serviceEnvironment } from '../system/paths.ts';
import { daemonLog } from './daemon-files.ts';

/** As whom a daemon runs. */
interface Account {
  uid: number;
  gid: number;
  /** Group of the log. */
  logGid: number;
}

/** The daemon makes little and keeps little of it: a smaller young generation saves 50 MB with ten thousand users (templates/mtp.service). */
const NODE_OPTIONS = '--max-semi-space-size=4';

/** Start a daemon in a session of its own. What it says before it has a log goes to the same file. */
export async function spawnDaemon(paths: Paths, { allowRoot }: { allowRoot: boolean }): Promise<ChildProcess> {
  const log = daemonLog(paths);
  const account = await accountOf(paths);
  const command = [...ownCommand(), 'run', '--daemon', '--log-file', log, ...(allowRoot ? ['--allow-root'] : [])];
  const [program = '', ...args] = account === undefined ? command : await asAccount(command, account, paths);
  const output = openDaemonLog(log, account);
  try {
    const env = account === undefined ? process.env : accountEnvironment(paths);
    return spawn(program, args, {
      cwd: '/',
      detached: true,
      env: { ...env, NODE_OPTIONS: nodeOptions(env), MTP_HOME: undefined, ...serviceEnvironment(paths) },
      stdio: ['ignore', output, output],
    });
  } finally {
    closeSync(output);
  }
}

/** What an operator says of it comes last, and wins. */
function nodeOptions({ NODE_OPTIONS: own = '' }: NodeJS.ProcessEnv): string {
  return `${NODE_OPTIONS} ${own}`.trim();
}

/** Root gives way to the owner of the state directory. */
async function accountOf({ state, logs }: Paths): Promise<Account | undefined> {
  const { uid, gid } = await stat(state);
  if (process.getuid?.() !== 0 || uid === 0) return undefined;
  return { uid, gid, logGid: (await stat(logs)).gid };
}

function openDaemonLog(file: string, account: Account | undefined): number {
  try {
    const log = openLog(file);
    if (account !== undefined) chownSync(file, account.uid, account.logGid);
    return log;
  } catch (error) {
    throw fileError('open the log', file, error);
  }
}

/** Settings, but nothing else that root has around. oclif asks for home and shell, and Node fails where the user has none. */
function accountEnvironment({ state }: Paths): NodeJS.ProcessEnv {
  const settings = Object.entries(process.env).filter(([name]) => name.startsWith('MTP_'));
  return { ...Object.fromEntries(settings), PATH: process.env.PATH, HOME: state, SHELL: '/bin/sh' };
}

/** Ports below need a privilege (capabilities(7)). */
const FIRST_FREE_PORT = 1024;

/** Without privileges but that of low ports. */
async function asAccount(command: string[], { uid, gid }: Account, { configFile }: Paths): Promise<string[]> {
  const { settings } = await loadConfig({ file: configFile, env: process.env });
  const kept = settings.listen.port < FIRST_FREE_PORT ? '-all,+net_bind_service' : '-all';
  const capabilities = ['bounding-set', 'inh-caps', 'ambient-caps'].map((set) => `--${set}=${kept}`);
  const ids = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs'];
  return ['setpriv', ...ids, ...capabilities, ...command];
}

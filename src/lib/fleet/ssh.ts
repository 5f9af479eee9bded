import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { ResultPromise } from 'execa';
import { EXIT, type ExitStatus, MtpError } from '../errors.ts';
import type { Ran } from '../system/exec.ts';
import type { Host } from './hosts.ts';

/** A machine that ssh has reached. */
export interface Connection {
  /** Run a program there; `input` is its standard input. Never rejects: null is a connection that was lost. */
  run: (command: readonly string[], input?: string) => Promise<Ran>;
  close: () => Promise<void>;
}

export type SshHost = Pick<Host, 'name' | 'destination' | 'port' | 'identity' | 'sshConfig'>;

/** Commands may shake hands with a proxy for a good while. */
const COMMAND_MS = 300_000;
const OUTPUT_BYTES = 64 * 2 ** 20;
const READY = 'mtp-fleet-ready';

/** Nobody is asked anything, nothing is forwarded, and whom we do not know we do not talk to. */
const OPTIONS = [
  'BatchMode=yes',
  'StrictHostKeyChecking=yes',
  'ConnectTimeout=10',
  'ServerAliveInterval=5',
  'ServerAliveCountMax=3',
  'ClearAllForwardings=yes',
  'ForwardAgent=no',
  'ForwardX11=no',
  'PermitLocalCommand=no',
  'RemoteCommand=none',
  'RequestTTY=no',
  'LogLevel=ERROR',
];

/**
 * Connect to a host by the system's ssh. One connection is held and shared by all commands; it ends with its standard input,
 * and so whatever becomes of this process.
 */
export async function connect(host: SshHost): Promise<Connection> {
  const { execa } = await import('execa');
  const directory = await makeDirectory();
  const through = (mode: 'yes' | 'no', command: string): string[] => [
    ...OPTIONS.flatMap((option) => ['-o', option]),
    ...['-o', `ControlMaster=${mode}`, '-o', `ControlPath=${path.join(directory, 's')}`, '-o', 'ControlPersist=no'],
    ...destinationOf(host),
    command,
  ];
  const edges = { reject: false, env: { LC_ALL: 'C' }, maxBuffer: OUTPUT_BYTES } as const;
  const master = execa('ssh', through('yes', `echo ${READY}; exec cat >/dev/null`), { ...edges, stdin: 'pipe' });
  const close = async (): Promise<void> => {
    master.stdin.end();
    await master;
    await removeDirectory(directory);
  };
  if (!(await isReady(master))) {
    const { stderr, code } = await master;
    await close();
    throw sshFailure(host, stderr, code);
  }
  return {
    run: async (command, input = '') => {
      const words = command.map(quote).join(' ');
      const ran = await execa('ssh', through('no', words), { ...edges, input, timeout: COMMAND_MS });
      return { status: ran.exitCode ?? null, stdout: ran.stdout, stderr: ran.stderr };
    },
    close,
  };
}

/** Where the sockets of connections are. */
const directories = new Set<string>();

/** For us alone; gone with Ctrl-C as well. */
async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'mtp-ssh-'));
  if (directories.size === 0) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupted);
  directories.add(directory);
  return directory;
}

async function removeDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  directories.delete(directory);
  if (directories.size === 0) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupted);
}

function interrupted(): never {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  process.exit(EXIT.interrupted);
}

async function isReady(master: ResultPromise<{ reject: false; stdin: 'pipe' }>): Promise<boolean> {
  let seen = '';
  return new Promise((resolve) => {
    master.stdout.on('data', (chunk: Buffer) => {
      // Whatever a login script prints comes before.
      seen = (seen + chunk.toString()).slice(-1024);
      if (seen.includes(READY)) resolve(true);
    });
    void master.then(() => resolve(false));
  });
}

function destinationOf({ destination, port, identity, sshConfig }: SshHost): string[] {
  return [
    ...(sshConfig === null ? [] : ['-F', sshConfig]),
    ...(port === null ? [] : ['-p', String(port)]),
    ...(identity === null ? [] : ['-i', identity, '-o', 'IdentitiesOnly=yes']),
    '--',
    destination,
  ];
}

/** A word for the shell of the other side. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** What ssh said when it did not get there, as an error that says what to do. */
export function sshFailure(host: SshHost, stderr: string, code?: string): MtpError {
  const lines = stderr.split('\n').map((line) => line.trim());
  const failed = (error: string, message: string, exit: ExitStatus, hint: string): MtpError =>
    new MtpError(error, `${host.name}: ${message}`, { exit, hint });
  if (code === 'ENOENT') {
    return failed('SSH_MISSING', 'there is no ssh here', EXIT.precondition, 'Install the package openssh-client.');
  }
  if (/HOST IDENTIFICATION HAS CHANGED/.test(stderr)) {
    const hint = 'Find out why before you take the old key out with: ssh-keygen -R HOST';
    return failed('SSH_HOST_KEY_CHANGED', 'its host key is another than the one known', EXIT.precondition, hint);
  }
  if (/host key is known|Host key verification failed/.test(stderr)) {
    const login = ['ssh', ...destinationOf(host).filter((word) => word !== '--'), 'true'].map(quote).join(' ');
    const hint = `Run "${login}", compare the fingerprint with that of the server, and say yes once.`;
    return failed('SSH_HOST_KEY_UNKNOWN', 'its host key is not known here', EXIT.precondition, hint);
  }
  if (/Permission denied/.test(stderr)) {
    const hint = 'Give it a key with ssh-copy-id; nobody is there to type a password.';
    return failed('SSH_DENIED', 'it does not let us in', EXIT.precondition, hint);
  }
  const words = lines.findLast((line) => line !== '') ?? 'ssh ended without a word';
  return failed('SSH_UNREACHABLE', `cannot be reached: ${words}`, EXIT.temporary, 'Try again when it is up.');
}

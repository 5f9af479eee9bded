import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Paths } from '../../src/lib/system/paths.ts';
import { cover } from '../lib/probe/servers.ts';
import { startFakeDc } from './fake-dc.ts';
import { pathsIn } from './files.ts';
import type { Ended } from './installation.ts';
import { killMarked, markOf } from './left-over.ts';
import { runProgram } from './run-program.ts';

const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const SSHD = '/usr/sbin/sshd';
const PORT = 8443;
const READY_MS = 10_000;

/** What keeps the machines of a fleet from being made here; undefined where nothing does. */
export const fleetIsImpossible =
  process.getuid?.() !== 0
    ? 'needs root'
    : [SSHD, '/usr/bin/ssh', '/usr/bin/ssh-keygen'].some((file) => !existsSync(file))
      ? 'needs openssh-server and openssh-client'
      : spawnSync('ip', ['netns', 'list']).status === 0
        ? undefined
        : 'needs iproute2';

/** A machine: a network namespace with an sshd and an `mtp` of its own. */
export interface Machine {
  name: string;
  address: string;
  paths: Paths;
  mtp: (...args: string[]) => Promise<Ended>;
  /** Every command line that came in by ssh. */
  commandLines: () => string;
  /** Whether its sshd runs; it ends with all connections that are open. */
  stopSsh: () => Promise<void>;
  startSsh: () => Promise<void>;
}

/** This machine and others that it reaches by ssh, with a Telegram and a cover. */
export interface FleetWorld {
  machines: Machine[];
  /** Configuration of ssh that knows them by name. */
  sshConfig: string;
  /** Have ssh know the host key of one. */
  trust: (machine: Machine) => void;
  mtp: (...args: string[]) => Promise<Ended>;
  paths: Paths;
  /** Where it puts temporary files. */
  temporary: string;
  close: () => Promise<void>;
}

export async function startFleetWorld(names: string[]): Promise<FleetWorld> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'mtp-fleet-'));
  const [dc, site] = [await startFakeDc('frames', '0.0.0.0'), await cover({})];
  const toSite = net.createServer((socket) => {
    const upstream = net.connect(site.port, site.host);
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const)
      one.on('error', () => other.destroy()).pipe(other);
  });
  await new Promise<void>((resolve) => toSite.listen(0, '0.0.0.0', resolve));
  const sitePort = (toSite.address() as net.AddressInfo).port;
  const seenFrom = (host: string): NodeJS.ProcessEnv => ({
    ...Object.fromEntries([1, 2, 3, 4, 5, 203].map((number) => [`MTP_TELEGRAM_DC_${number}`, `${host}:${dc.port}`])),
    MTP_COVER_DOMAIN: 'cover.test',
    MTP_COVER_TARGET: `${host}:${sitePort}`,
    ...markOf(home),
  });
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path.join(home, 'key')]);
  // sshd wants it, and Debian makes it with the service.
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const machines = names.map((name, at) => makeMachine(home, name, at, seenFrom));
  const knownHosts = path.join(home, 'known_hosts');
  writeFileSync(knownHosts, '');
  const sshConfig = path.join(home, 'ssh_config');
  writeFileSync(
    sshConfig,
    [
      ...machines.map(({ name, address }) => `Host ${name}\n  HostName ${address}`),
      `Host *\n  User root\n  Port 2222\n  IdentityFile ${path.join(home, 'key')}\n  UserKnownHostsFile ${knownHosts}`,
    ].join('\n'),
  );
  await Promise.all(machines.map(async ({ startSsh }) => startSsh()));
  const paths = pathsIn(path.join(home, 'here'));
  const temporary = path.join(home, 'tmp');
  mkdirSync(temporary);
  return {
    machines,
    sshConfig,
    paths,
    temporary,
    trust: ({ name, address }) => {
      const key = readFileSync(path.join(home, name, 'host_key.pub'), 'utf8').trim();
      writeFileSync(knownHosts, `[${address}]:2222 ${key}\n`, { flag: 'a' });
    },
    mtp: async (...args) =>
      run([process.execPath, BIN, ...args], { ...seenFrom('127.0.0.1'), MTP_HOME: paths.state, TMPDIR: temporary }),
    close: async () => {
      await Promise.all(machines.map(async ({ stopSsh }) => stopSsh()));
      await killMarked(home);
      machines.forEach((_, at) => spawnSync('ip', ['netns', 'delete', namespaceOf(at)]));
      toSite.close();
      await Promise.all([dc.close(), site.close()]);
      await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

const namespaceOf = (at: number): string => `mtp-${process.pid}-${at}`;

function makeMachine(home: string, name: string, at: number, seenFrom: (host: string) => NodeJS.ProcessEnv): Machine {
  const namespace = namespaceOf(at);
  // Another run at the same time has addresses of its own.
  const network = `10.213.${(process.pid % 60) * 4 + at}`;
  const [outside, address] = [`${network}.1`, `${network}.2`];
  const [near, far] = [`mf${process.pid % 100_000}n${at}`, `mf${process.pid % 100_000}f${at}`];
  for (const line of [
    `netns add ${namespace}`,
    `link add ${near} type veth peer name ${far} netns ${namespace}`,
    `address add ${outside}/30 dev ${near}`,
    `link set ${near} up`,
    `-n ${namespace} address add ${address}/30 dev ${far}`,
    `-n ${namespace} link set ${far} up`,
    `-n ${namespace} link set lo up`,
  ]) {
    execFileSync('ip', line.split(' '));
  }
  const dir = path.join(home, name);
  const paths = pathsIn(path.join(dir, 'mtp'));
  mkdirSync(paths.state, { recursive: true });
  writeFileSync(paths.configFile, `[listen]\nport = ${PORT}\n[link]\nserver = "${name}.test"\n`);
  const environment = { ...seenFrom(outside), MTP_ALLOW_ROOT: 'true' };
  const exports = Object.entries(environment).map(([key, value]) => `export ${key}=${JSON.stringify(value)}\n`);
  const log = path.join(dir, 'command-lines');
  const program = path.join(dir, 'run');
  writeFileSync(
    program,
    `#!/bin/sh\n${exports.join('')}echo "$*" >>${log}\nexec ${process.execPath} ${BIN} "$@" --home ${paths.state}\n`,
    { mode: 0o755 },
  );
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path.join(dir, 'host_key')]);
  const config = path.join(dir, 'sshd_config');
  writeFileSync(
    config,
    [
      ...[`ListenAddress ${address}:2222`, `HostKey ${path.join(dir, 'host_key')}`, 'PidFile none', 'UsePAM no'],
      ...[`AuthorizedKeysFile ${path.join(home, 'key.pub')}`, 'StrictModes no', 'PermitRootLogin prohibit-password'],
    ].join('\n'),
  );
  let sshd: ChildProcess | undefined;
  return {
    name,
    address,
    paths,
    mtp: async (...args) => run(['ip', 'netns', 'exec', namespace, program, ...args], {}),
    commandLines: () => readFileSync(log, 'utf8'),
    startSsh: async () => {
      sshd = spawn('ip', ['netns', 'exec', namespace, SSHD, '-D', '-e', '-f', config], {
        stdio: 'ignore',
        env: { ...process.env, ...markOf(home) },
      });
      for (const until = Date.now() + READY_MS; !(await answers(address)); await sleep(50)) {
        if (Date.now() > until) throw new Error(`no sshd on ${address}`);
      }
    },
    stopSsh: async () => {
      if (sshd?.exitCode !== null || sshd.signalCode !== null) return;
      const ended = once(sshd, 'exit');
      sshd.kill();
      await ended;
    },
  };
}

async function answers(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(2222, host);
    socket.on('data', () => resolve(true)).on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
    socket.on('data', () => socket.destroy());
  });
}

async function run(command: string[], env: NodeJS.ProcessEnv): Promise<Ended> {
  return runProgram(command, { env: { ...process.env, MTP_HOME: undefined, ...env } });
}

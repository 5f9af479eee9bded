import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { markOf } from './left-over.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const LISTEN = path.join(ROOT, 'test/lib/firewall/fixtures/listen.ts');
const PROBE = path.join(ROOT, 'test/lib/firewall/fixtures/probe.ts');
const CONNECT = path.join(ROOT, 'test/lib/firewall/fixtures/connect.ts');

/** Programs of a host by their names, where they are. */
export const has = (...programs: string[]): boolean =>
  programs.every((name) => ['/usr/sbin', '/usr/bin', '/sbin'].some((dir) => existsSync(path.join(dir, name))));

export const hostsArePossible =
  process.getuid?.() === 0 && has('ip', 'nsenter') && spawnSync('unshare', ['-nm', 'true']).status === 0;

/** Addresses of the server; clients are .2 to .9 and ::2 to ::9 beside it, and fd78::2 to fd78::9 in another /64. */
export const SERVER = { v4: '10.77.0.1', v6: 'fd77::1' };

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** What became of so many connections: how many hold, and how many failed by what. */
export type Tally = Record<string, number>;

/** Two hosts with a wire between them, in network namespaces of their own. */
export interface TwoHosts {
  /** A script of sh on the server. */
  server: (script: string) => string;
  client: (script: string) => string;
  /** `mtp` on the server, in a shell that came from the client by SSH. */
  mtp: (...args: string[]) => Promise<Ended>;
  /** The same, to be killed. */
  start: (program: string, args: string[], env?: NodeJS.ProcessEnv) => ChildProcess;
  /** Have the server listen on ports: 22 greets as SSH does. */
  listen: (...ports: number[]) => Promise<void>;
  /** Make connections from an address of the client, all at once, and hold those that come through. */
  connect: (to: {
    from: string;
    host: string;
    port: number;
    count: number;
  }) => Promise<{ tally: Tally; close: () => void }>;
  /** Greet a port of the server from the client, without a pause, until the returned function is called. */
  probe: (host: string, port: number) => Promise<() => Promise<{ tries: number; failures: string[] }>>;
  close: () => Promise<void>;
}

/** `home` is where mtp keeps its things; `mounts` is a script that the server's own file system is changed by. */
export async function twoHosts(home: string, mounts = ':'): Promise<TwoHosts> {
  const env = {
    ...process.env,
    ...markOf(home),
    PATH: `${path.dirname(process.execPath)}:${process.env.PATH ?? ''}:/usr/sbin:/sbin`,
    NODE_NO_WARNINGS: '1',
  };
  const children = new Set<ChildProcess>();
  const hold = async (script: string): Promise<ChildProcess> => {
    const child = spawn('unshare', ['-nm', 'sh', '-c', `set -e; ${script}; echo ready; exec sleep 3600`], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.add(child);
    await once(child.stdout, 'data');
    return child;
  };
  const [a, b] = await Promise.all([hold(`ip link set lo up; ${mounts}`), hold('ip link set lo up')]);
  const enter = (host: ChildProcess): string[] => ['-t', String(host.pid), '-n', '-m'];
  const sh = (host: ChildProcess) => (script: string) =>
    execFileSync('nsenter', [...enter(host), 'sh', '-ec', script], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const [server, client] = [sh(a), sh(b)];
  server(`ip link add wire type veth peer name wire netns ${b.pid ?? ''}
    ip addr add ${SERVER.v4}/24 dev wire; ip addr add ${SERVER.v6}/64 dev wire nodad
    ip addr add fd78::1/64 dev wire nodad; ip link set wire up`);
  client(`for i in 2 3 4 5 6 7 8 9; do ip addr add 10.77.0.$i/24 dev wire; ip addr add fd77::$i/64 dev wire nodad
    ip addr add fd78::$i/64 dev wire nodad; done; ip link set wire up`);
  const start: TwoHosts['start'] = (program, args, extra = {}) => {
    const SSH_CONNECTION = `10.77.0.9 50000 ${SERVER.v4} 22`;
    const child = spawn('nsenter', [...enter(a), program, ...args], {
      env: { ...env, SSH_CONNECTION, ...extra },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(child);
    return child;
  };
  return {
    server,
    client,
    start,
    mtp: async (...args) => {
      const child = start(process.execPath, [path.join(ROOT, 'bin/dev.js'), ...args, '--home', home]);
      let [stdout, stderr] = ['', ''];
      child.stdout?.on('data', (data: Buffer) => void (stdout += data.toString()));
      child.stderr?.on('data', (data: Buffer) => void (stderr += data.toString()));
      // Timers go on when it has ended.
      const [status] = (await once(child, 'close')) as [number | null];
      return { status, stdout, stderr };
    },
    listen: async (...ports) => {
      const child = start(process.execPath, [LISTEN, ...ports.map(String)]);
      await once(child.stdout as NodeJS.ReadableStream, 'data');
    },
    connect: async ({ from, host, port, count }) => {
      const args = [CONNECT, from, host, String(port), String(count)];
      const child = spawn('nsenter', [...enter(b), process.execPath, ...args], {
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.add(child);
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      return { tally: JSON.parse(line.toString()) as Tally, close: () => void child.kill('SIGKILL') };
    },
    probe: async (host, port) => {
      const child = spawn('nsenter', [...enter(b), process.execPath, PROBE, host, String(port)], {
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.add(child);
      await once(child.stdout, 'data');
      return async () => {
        child.kill('SIGTERM');
        const [line] = (await once(child.stdout, 'data')) as [Buffer];
        return JSON.parse(line.toString()) as { tries: number; failures: string[] };
      };
    },
    close: async () => {
      for (const child of children) child.kill('SIGKILL');
      await sleep(50);
    },
  };
}

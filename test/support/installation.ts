import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { getStatus } from '../../src/lib/control/client.ts';
import type { StatusReply } from '../../src/lib/control/schema.ts';
import { probeHandshake } from '../../src/lib/probe/handshake.ts';
import { type Paths, resolvePaths } from '../../src/lib/system/paths.ts';
import { loadUsers } from '../../src/lib/users/load.ts';
import { currentSecret } from '../../src/lib/users/user.ts';
import { cover } from '../lib/probe/servers.ts';
import { startFakeDc } from './fake-dc.ts';
import { killMarked, markOf } from './left-over.ts';
import { freePort } from './load.ts';

const BIN = fileURLToPath(new URL('../../bin/dev.js', import.meta.url));

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A directory to run the whole of `mtp` in, with a Telegram and a cover on loopback. */
export interface Installation {
  home: string;
  paths: Paths;
  port: number;
  mtp: (...args: string[]) => Promise<Ended>;
  /** The same as a process to send signals to. */
  mtpChild: (...args: string[]) => ChildProcess;
  status: () => Promise<StatusReply | undefined>;
  /** Process of the daemon, and of its engine. */
  pid: () => Promise<number>;
  engine: () => Promise<number>;
  /** Start, and wait for the change of revision that the first look at the cover brings. */
  startSettled: () => Promise<void>;
  /** Whether the first user is let in. */
  handshake: (port?: number) => Promise<boolean>;
  /** A client that has begun a hello and goes no further, from the address that the daemon's own handshakes come from. */
  lingering: () => Promise<net.Socket>;
  /** Add to the configuration file. */
  append: (text: string) => Promise<void>;
  /** The lines of the log of a daemon in the background. */
  log: () => Promise<string>;
  /** Variables that `mtp` and what it starts get. */
  env: NodeJS.ProcessEnv;
  /** End everything that runs here and remove the directory. */
  close: () => Promise<void>;
}

export async function installation(): Promise<Installation> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'mtp-life-'));
  const paths = resolvePaths({ home, env: {}, isRoot: false, userHome: home });
  const [dc, site, port] = [await startFakeDc(), await cover({}), await freePort()];
  const env = { ...environment(dc, site), ...markOf(home) };
  const children = new Set<ChildProcess>();
  const mtpChild = (...args: string[]) => {
    const child = spawn(process.execPath, [BIN, ...args, '--home', home], { env });
    children.add(child);
    return child;
  };
  const mtp = async (...args: string[]): Promise<Ended> => {
    const child = mtpChild(...args);
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    await once(child, 'close');
    return { status: child.exitCode, stdout, stderr };
  };
  const made = await mtp('config', 'set', 'listen.port', String(port));
  if (made.status !== 0) throw new Error(made.stderr);
  const status = async (): Promise<StatusReply | undefined> => getStatus(paths);
  const log = async (): Promise<string> => readFile(path.join(home, 'mtp.log'), 'utf8');
  return {
    home,
    paths,
    port,
    env,
    mtp,
    mtpChild,
    status,
    log,
    pid: async () => (await status())?.pid as number,
    engine: async () => (await status())?.engine.pid as number,
    startSettled: async () => {
      await mtp('start');
      await expect.poll(async () => (await status())?.cover.state, { timeout: 10_000 }).toBe('ok');
      await expect.poll(log).toContain('cover_shape_applied');
    },
    handshake: async (to = port) => {
      const { users } = await loadUsers(paths);
      const key = Buffer.from((users[0] && currentSecret(users[0]))?.key ?? '', 'hex');
      const credentials = { mode: 'ee' as const, key, domain: 'cover.test' };
      const edges = { timeoutMs: 4000, random: randomBytes, now: Date.now };
      return (await probeHandshake({ host: '127.0.0.1', port: to }, credentials, edges)).ok;
    },
    lingering: async () => {
      const socket = net.connect(port, '::1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(Buffer.from('160301020001', 'hex'));
      await expect.poll(async () => (await status())?.traffic?.connections.current).toBe(1);
      return socket;
    },
    append: async (text) => writeFile(paths.configFile, text, { flag: 'a' }),
    close: async () => {
      await killMarked(home);
      for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
      await Promise.all([dc.close(), site.close()]);
      await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

function environment(dc: { port: number }, site: { port: number }): NodeJS.ProcessEnv {
  const at = `127.0.0.1:${dc.port}`;
  return {
    ...process.env,
    MTP_HOME: undefined,
    ...Object.fromEntries([1, 2, 3, 4, 5, 203].map((number) => [`MTP_TELEGRAM_DC_${number}`, at])),
    MTP_COVER_DOMAIN: 'cover.test',
    MTP_COVER_TARGET: `127.0.0.1:${site.port}`,
  };
}

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { getStatus, notifyDaemon, reloadDaemon } from '../../src/lib/control/client.ts';
import { probeHandshake } from '../../src/lib/probe/handshake.ts';
import { parseLink } from '../../src/lib/link/link.ts';
import { type Paths, resolvePaths } from '../../src/lib/system/paths.ts';
import { loadUsers } from '../../src/lib/users/load.ts';
import { addUser, removeUser } from '../../src/lib/users/store.ts';
import { randomBytes } from 'node:crypto';
import { killMarked, markOf } from '../support/left-over.ts';
import { bareTelegram, cover, type Peer } from '../lib/probe/servers.ts';

const BIN = fileURLToPath(new URL('../../bin/dev.js', import.meta.url));
const edges = { timeoutMs: 4000, random: randomBytes, now: Date.now };

interface Running {
  child: ChildProcess;
  pid: number;
  ready: { pid: number; enginePid: number; revision: string; listening: { port: number }; links: { tg: string }[] };
  stdout: () => string;
  stderr: () => string;
}

let home: string;
let paths: Paths;
let dc: Peer;
let site: Peer;
const children: ChildProcess[] = [];

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-run-'));
  paths = resolvePaths({ home, env: {}, isRoot: false, userHome: home });
  dc = await bareTelegram(null);
  site = await cover({});
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await killMarked(home);
  await Promise.all([dc.close(), site.close()]);
  await rm(home, { recursive: true, force: true });
});

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function environment(): NodeJS.ProcessEnv {
  const at = `127.0.0.1:${dc.port}`;
  const dcs = Object.fromEntries([1, 2, 3, 4, 5, 203].map((number) => [`MTP_TELEGRAM_DC_${number}`, at]));
  return {
    ...process.env,
    ...markOf(home),
    MTP_HOME: undefined,
    ...dcs,
    MTP_COVER_DOMAIN: 'cover.test',
    MTP_COVER_TARGET: `127.0.0.1:${site.port}`,
    MTP_WORKERS_COUNT: '1',
  };
}

function launch(...args: string[]): { child: ChildProcess; stdout: () => string; stderr: () => string } {
  const child = spawn(process.execPath, [BIN, 'run', '--home', home, ...args], { env: environment() });
  children.push(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return { child, stdout: () => stdout, stderr: () => stderr };
}

async function start(...args: string[]): Promise<Running> {
  const launched = launch('--json', ...args);
  await expect.poll(launched.stdout, { timeout: 15_000, message: 'ready line' }).toContain('\n');
  const ready = JSON.parse(launched.stdout().split('\n')[0] as string) as Running['ready'];
  return { ...launched, pid: launched.child.pid as number, ready };
}

async function ended({ child }: { child: ChildProcess }): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

async function handshake(link: string): ReturnType<typeof probeHandshake> {
  const { port, secret } = parseLink(link);
  const domain = secret.mode === 'ee' ? secret.domain : '';
  return probeHandshake({ host: '127.0.0.1', port }, { mode: secret.mode, key: secret.key, domain }, edges);
}

describe('mtp run', { timeout: 60_000 }, () => {
  it('makes state, serves the printed link, and has the same link at the second run', async () => {
    const port = await freePort();
    const first = await start('--port', String(port));
    const [link] = first.ready.links;
    expect(await handshake(link?.tg as string)).toMatchObject({ layer: 'works', ok: true });
    for (const file of [paths.ledgerFile, paths.keyringFile]) expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(paths.configFile, 'utf8')).toContain(`port = ${port}`);
    first.child.kill('SIGTERM');
    expect(await ended(first)).toBe(0);
    expect(await getStatus(paths)).toBeUndefined();
    const second = await start();
    expect(second.ready.links).toEqual(first.ready.links);
  });

  it('reports Telegram, the cover, handshakes and users in its status', async () => {
    const { ready } = await start('--port', String(await freePort()));
    await handshake(ready.links[0]?.tg as string);
    await expect.poll(async () => (await getStatus(paths))?.cover.state, { timeout: 8000 }).toBe('ok');
    await expect.poll(async () => (await getStatus(paths))?.dcs.length, { timeout: 8000 }).toBe(6);
    const status = await getStatus(paths);
    expect(status?.dcs.every(({ ok }) => ok)).toBe(true);
    expect(status?.traffic?.handshakes['ok']).toBe(1);
    expect(status).toMatchObject({ pid: ready.pid, users: { total: 1, enabled: 1 }, engine: { state: 'running' } });
    expect(['native', 'none']).toContain(status?.engine.accelerator);
    const cache = JSON.parse(await readFile(path.join(home, 'cover-profiles.json'), 'utf8')) as { profiles: object };
    expect(Object.keys(cache.profiles)).toEqual(['cover.test']);
  });

  it('proves by handshakes that an added user may connect and a removed one may not', async () => {
    await start('--port', String(await freePort()));
    // The shape of the cover is a part of the revision, and must not come in between.
    await expect.poll(async () => (await getStatus(paths))?.cover.state, { timeout: 8000 }).toBe('ok');
    await reloadDaemon(paths);
    await addUser(paths, { name: 'bob' });
    expect(await notifyDaemon(paths)).toMatchObject({
      running: true,
      proofs: [{ name: 'bob', ok: true, detail: 'the secret is accepted and Telegram answers' }],
    });
    await removeUser(paths, 'bob');
    expect(await notifyDaemon(paths)).toMatchObject({
      proofs: [{ name: 'bob', ok: true, detail: 'the secret is refused' }],
    });
    expect(await reloadDaemon(paths)).toMatchObject({ changed: false, proofs: [] });
  });

  it('names settings that need a restart, and keeps what runs when the file is broken or gone', async () => {
    const port = await freePort();
    const running = await start();
    const { revision } = (await getStatus(paths)) ?? {};
    const text = await readFile(paths.configFile, 'utf8');
    await writeFile(paths.configFile, text.replace(/^port = \d+$/m, `port = ${port}`));
    expect(await reloadDaemon(paths)).toMatchObject({ restartNeeded: ['listen.port'] });
    await writeFile(paths.configFile, '[listen]\nprot = 1\n');
    await expect(reloadDaemon(paths)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    process.kill(running.pid, 'SIGHUP');
    await expect.poll(running.stderr, { timeout: 5000 }).toContain('reload_failed');
    await unlink(paths.configFile);
    await expect(reloadDaemon(paths)).rejects.toMatchObject({ code: 'CONFIG_MISSING' });
    expect(await handshake(running.ready.links[0]?.tg as string)).toMatchObject({ ok: true });
    expect((await getStatus(paths))?.engine.listening?.port).toBe(running.ready.listening.port);
    expect(revision).toBeDefined();
  });

  it('refuses a taken port and names its holder', async () => {
    const holder = net.createServer();
    await new Promise<void>((resolve) => holder.listen(0, resolve));
    const { port } = holder.address() as AddressInfo;
    const refused = launch('--port', String(port));
    expect(await ended(refused)).toBe(5);
    expect(refused.stderr()).toContain(`port ${port} is taken by`);
    expect(refused.stderr()).toContain(`(pid ${process.pid})`);
    await new Promise((resolve) => holder.close(resolve));
  });

  it('refuses to run twice on the same state', async () => {
    const { ready } = await start('--port', String(await freePort()));
    const second = launch('--port', String(await freePort()));
    expect(await ended(second)).toBe(5);
    expect(second.stderr()).toContain(`a proxy already runs here (pid ${ready.pid})`);
  });

  it('restarts an engine that is killed', async () => {
    const { ready } = await start('--port', String(await freePort()));
    process.kill(ready.enginePid, 'SIGKILL');
    const engine = async (): Promise<unknown> => (await getStatus(paths))?.engine;
    await expect.poll(engine, { timeout: 15_000 }).toMatchObject({
      state: 'running',
      restarts: 1,
      lastError: { message: 'the engine ended with signal SIGKILL' },
    });
    expect(await handshake(ready.links[0]?.tg as string)).toMatchObject({ ok: true });
  });

  it('an engine whose daemon is killed goes on relaying, and the next daemon retires it', async () => {
    const first = await start('--port', String(await freePort()));
    first.child.kill('SIGKILL');
    await ended(first);
    expect(await handshake(first.ready.links[0]?.tg as string)).toMatchObject({ ok: true });
    const second = await start();
    expect(second.ready.enginePid).not.toBe(first.ready.enginePid);
    await expect.poll(() => commandLine(first.ready.enginePid), { timeout: 40_000 }).toBe('');
    expect(await handshake(second.ready.links[0]?.tg as string)).toMatchObject({ ok: true });
  });

  it('a first Ctrl-C drains, a second one stops at once', async () => {
    const running = await start('--port', String(await freePort()));
    const client = net.connect(running.ready.listening.port, '127.0.0.1');
    client.on('error', () => undefined);
    await once(client, 'connect');
    // Half a hello: a connection that says nothing is not waited for.
    client.write(Buffer.from('160301020001', 'hex'));
    await expect.poll(async () => (await getStatus(paths))?.traffic?.connections.cover).toBe(1);
    running.child.kill('SIGINT');
    await expect.poll(running.stderr, { timeout: 5000 }).toContain('draining');
    running.child.kill('SIGINT');
    expect(await ended(running)).toBe(0);
    client.destroy();
    expect(commandLine(running.ready.enginePid)).toBe('');
  });

  it('as a service prints log lines only, without secrets', async () => {
    const service = launch('--daemon', '--port', String(await freePort()));
    await expect.poll(service.stderr, { timeout: 15_000 }).toContain('"event":"ready"');
    const { users } = await loadUsers(paths);
    service.child.kill('SIGTERM');
    expect(await ended(service)).toBe(0);
    expect(service.stdout()).toBe('');
    expect(service.stderr()).not.toContain(users[0]?.secrets[0]?.key);
    for (const line of service.stderr().trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('event');
  });

  it('refuses a home that cannot be written, in one line', async () => {
    await writeFile(path.join(home, 'file'), '');
    const below = path.join(home, 'file', 'below');
    const refused = spawnSync(process.execPath, [BIN, 'run', '--home', below], { encoding: 'utf8' });
    expect(refused.status).toBe(5);
    expect(refused.stderr).toMatch(/^error: cannot .*below/);
    expect(refused.stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
  });
});

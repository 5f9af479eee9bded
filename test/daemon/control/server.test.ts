import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startControl } from '../../../src/daemon/control/server.ts';
import { getStatus, notifyDaemon, reloadDaemon } from '../../../src/lib/control/client.ts';
import type { StatusReply } from '../../../src/lib/control/schema.ts';
import { MtpError } from '../../../src/lib/errors.ts';
import { controlActions, QUIET } from '../../support/control.ts';
import { type Paths, resolvePaths } from '../../../src/lib/system/paths.ts';

const STATUS: StatusReply = {
  version: '0.1.0',
  pid: 1,
  startedAt: 1,
  revision: 'abc',
  engine: {
    state: 'running',
    pid: 2,
    listening: { host: '::', port: 443 },
    workers: 2,
    accelerator: null,
    ...QUIET,
    restarts: 0,
    lastError: null,
  },
  cap: { connections: 100, bound: 'floor' },
  users: { total: 1, enabled: 1 },
  traffic: null,
  usage: { flushedAt: 0, failure: null },
  announcements: { due: 0, givenUp: 0, failure: null, nextAt: null },
  dcs: [{ dc: 2, ok: false, ms: null, reason: 'no answer' }],
  dcAddresses: [],
  cover: {
    domain: 'example.org',
    target: 'example.org:443',
    state: 'unknown',
    checkedAt: null,
    reason: null,
    flightBytes: null,
    postQuantum: null,
  },
  warnings: [],
};
const RELOADED = {
  revision: 'def',
  changed: true,
  restartNeeded: [],
  handOver: null,
  proofs: [{ name: 'me', ok: true, detail: 'ok' }],
  untried: 0,
  connections: null,
};

let home: string;
let paths: Paths;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-control-'));
  paths = resolvePaths({ home, env: {}, isRoot: false, userHome: home });
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await rm(home, { recursive: true, force: true });
});

async function serve(actions: Partial<Parameters<typeof startControl>[1]> = {}): Promise<void> {
  const app = await startControl(
    paths.socket,
    controlActions({ status: async () => STATUS, reload: async () => RELOADED, ...actions }),
  );
  closing.push(async () => app.close());
}

describe('control socket', () => {
  it('is open to its owner only', async () => {
    await serve();
    expect((await stat(paths.socket)).mode & 0o777).toBe(0o600);
  });
  it('answers status and reload', async () => {
    await serve();
    expect(await getStatus(paths)).toEqual(STATUS);
    expect(await notifyDaemon(paths)).toEqual({
      running: true,
      revision: 'def',
      proofs: RELOADED.proofs,
      untried: 0,
      connections: null,
    });
  });
  it('passes on what went wrong, with its hint and exit status', async () => {
    const broken = new MtpError('CONFIG', 'config.toml:3:1: unknown key', { hint: 'Remove it.', exit: 5 });
    await serve({ reload: async () => Promise.reject(broken) });
    await expect(reloadDaemon(paths)).rejects.toMatchObject({
      code: 'CONFIG',
      message: 'config.toml:3:1: unknown key',
      hint: 'Remove it.',
      exit: 5,
    });
  });
  it('takes the place of a socket that a killed daemon left', async () => {
    const listen = `require('net').createServer().listen(${JSON.stringify(paths.socket)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', listen]);
    expect((await stat(paths.socket)).isSocket()).toBe(true);
    expect(await notifyDaemon(paths)).toEqual({ running: false });
    await serve();
    expect(await getStatus(paths)).toEqual(STATUS);
  });
  it('leaves a socket alone that somebody answers on', async () => {
    await serve();
    await expect(
      startControl(paths.socket, controlActions({ status: async () => STATUS, reload: async () => RELOADED })),
    ).rejects.toThrow(`cannot listen on ${paths.socket}`);
    expect(await getStatus(paths)).toEqual(STATUS);
  });
});

describe('control client', () => {
  it('knows that no daemon runs where there is no socket', async () => {
    expect(await getStatus(paths)).toBeUndefined();
  });
  it('does not take a file in its place for a daemon', async () => {
    await writeFile(paths.socket, '');
    expect(await getStatus(paths)).toBeUndefined();
  });
  it.each([
    ['text', 'hello'],
    ['another shape', '{"version":1}'],
  ])('refuses %s from a foreign server', async (_name, body) => {
    const server = http.createServer((_request, response) => response.end(body));
    await new Promise<void>((resolve) => server.listen(paths.socket, resolve));
    closing.push(async () => new Promise((resolve) => server.close(resolve)));
    await expect(getStatus(paths)).rejects.toMatchObject({ code: 'CONTROL_FOREIGN' });
  });
});

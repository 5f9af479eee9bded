import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Installation, installation } from '../support/installation.ts';
import { isRunning, refuses } from '../support/load.ts';

let at: Installation;
beforeEach(async () => {
  at = await installation();
});
afterEach(async () => at.close());

describe('start, stop and restart', { timeout: 90_000 }, () => {
  test('start is done when clients can connect, and a second one changes nothing', async () => {
    const first = await at.mtp('start');
    expect(first, first.stderr).toMatchObject({ status: 0 });
    expect(first.stdout).toContain('clients can connect');
    expect(await at.handshake()).toBe(true);
    const pid = await at.pid();
    const second = await at.mtp('start', '--json');
    expect(JSON.parse(second.stdout)).toMatchObject({ already: true, target: 'background', status: { pid } });
    expect((await stat(path.join(at.home, 'mtp.log'))).mode & 0o777).toBe(0o640);
    const stopped = await at.mtp('stop');
    expect(stopped).toMatchObject({
      status: 0,
      stdout: `The proxy (process ${pid}) has ended; no connection was cut.\n`,
    });
    expect(isRunning(pid)).toBe(false);
    expect(await at.mtp('stop')).toMatchObject({ status: 0, stdout: 'No proxy runs here.\n' });
  });

  test('two at once start one proxy', async () => {
    const both = await Promise.all([at.mtp('start', '--json'), at.mtp('start', '--json')]);
    const replies = both.map(({ stdout }) => JSON.parse(stdout) as { already: boolean; status: { pid: number } });
    expect(replies.map(({ already }) => already).toSorted()).toEqual([false, true]);
    expect(new Set(replies.map(({ status }) => status.pid)).size).toBe(1);
  });

  test('a start that fails has the status and the last words of the daemon', async () => {
    const holder = net.createServer().listen(at.port);
    await once(holder, 'listening');
    const failed = await at.mtp('start');
    expect(failed.status).toBe(5);
    expect(failed.stderr).toMatch(
      new RegExp(`did not start:\n +port ${at.port} is taken by .*\\(pid ${process.pid}\\)`),
    );
    await new Promise((resolve) => holder.close(resolve));
    expect((await at.mtp('start')).status).toBe(0);
  });

  test('one that runs at a terminal is stopped, too, and said to be', async () => {
    const running = at.mtp('run', '--no-qr');
    await expect.poll(async () => at.status(), { timeout: 30_000 }).toBeDefined();
    const stopped = await at.mtp('stop', '--json');
    expect(JSON.parse(stopped.stdout)).toMatchObject({ target: 'foreground', already: false, killed: false });
    expect(await running).toMatchObject({ status: 0 });
  });

  test('stop --now cuts what is open, and says so', async () => {
    await at.mtp('start');
    const [pid, engine] = [await at.pid(), await at.engine()];
    const socket = await at.lingering();
    const stopped = await at.mtp('stop', '--now', '--json');
    expect(JSON.parse(stopped.stdout)).toMatchObject({ pid, cut: 1, killed: false, already: false });
    expect([pid, engine].filter(isRunning)).toEqual([]);
    socket.destroy();
  });

  test('stop --now kills a daemon that does not answer, and its engine', async () => {
    await at.mtp('start');
    const [pid, engine] = [await at.pid(), await at.engine()];
    process.kill(pid, 'SIGSTOP');
    const stopped = await at.mtp('stop', '--now', '--json');
    expect(JSON.parse(stopped.stdout)).toMatchObject({ pid, cut: null, killed: true });
    expect([pid, engine].filter(isRunning)).toEqual([]);
    expect((await at.mtp('start')).status).toBe(0);
  });

  test('the engine of a killed daemon is ended by stop, and relieved by start', async () => {
    await at.mtp('start');
    const orphan = await at.engine();
    process.kill(await at.pid(), 'SIGKILL');
    await expect.poll(async () => at.status()).toBeUndefined();
    expect(await at.handshake()).toBe(true);
    expect((await at.mtp('start')).status).toBe(0);
    await expect.poll(() => isRunning(orphan), { timeout: 40_000 }).toBe(false);
    expect(await at.handshake()).toBe(true);
    const next = await at.engine();
    process.kill(await at.pid(), 'SIGKILL');
    await expect.poll(async () => at.status()).toBeUndefined();
    const stopped = await at.mtp('stop', '--json');
    expect(JSON.parse(stopped.stdout)).toMatchObject({ already: false, pid: null, orphans: [next] });
    expect(isRunning(next)).toBe(false);
    expect(await refuses({ host: '127.0.0.1', port: at.port })).toBe(true);
  });

  test('restart starts what does not run, and another process where one does', async () => {
    const first = await at.mtp('restart', '--json');
    expect(JSON.parse(first.stdout)).toMatchObject({ stopped: { already: true }, started: { already: false } });
    const pid = await at.pid();
    expect((await at.mtp('restart')).status).toBe(0);
    expect(await at.pid()).not.toBe(pid);
  });
});

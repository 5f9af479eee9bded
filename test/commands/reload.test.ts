import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { reloadDaemon } from '../../src/lib/control/client.ts';
import { start } from '../../src/lib/service/start.ts';
import { type Installation, installation } from '../support/installation.ts';
import { freePort, refuses } from '../support/load.ts';

let at: Installation;
beforeEach(async () => {
  at = await installation();
});
afterEach(async () => at.close());

describe('reload', { timeout: 90_000 }, () => {
  test('a file that is wrong changes nothing', async () => {
    await at.startSettled();
    const { revision } = (await at.status()) ?? {};
    await writeFile(at.paths.configFile, '[listen]\nprot = 1\n');
    expect(await at.mtp('reload')).toMatchObject({ status: 5, stderr: expect.stringContaining('prot') as string });
    expect((await at.status())?.revision).toBe(revision);
    expect(await at.handshake()).toBe(true);
  });

  test('takes a change over as the engine runs, and shows it by handshakes', async () => {
    await at.mtp('start');
    const engine = await at.engine();
    await at.append('\n[limits]\nidle_timeout = "5m"\n');
    const { status, stdout } = await at.mtp('reload', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      changed: true,
      handOver: null,
      proofs: [
        { name: 'me', ok: true },
        { name: 'a secret that nobody has', ok: true, detail: 'the secret is refused' },
      ],
    });
    expect(await at.engine()).toBe(engine);
    expect(JSON.parse((await at.mtp('reload', '--json')).stdout)).toMatchObject({ changed: false, proofs: [] });
  });

  test('restores what was in force where the change does not hold', async () => {
    await at.startSettled();
    const { revision } = (await at.status()) ?? {};
    const socket = await at.lingering();
    // The one connection that is allowed is there already, so that nobody can come in any more.
    await at.append('\n[limits]\nper_source = 1\n');
    const failed = await at.mtp('reload');
    expect(failed.status).toBe(6);
    expect(failed.stderr).toContain(`revision ${revision?.slice(0, 12)} is in force again, and handshakes show it`);
    expect((await at.status())?.revision).toBe(revision);
    expect(await at.handshake()).toBe(true);
    socket.destroy();
    expect((await at.mtp('reload')).status).toBe(0);
  });

  test('asks before it replaces the engine, leaves it, or does it', async () => {
    await at.mtp('start');
    const engine = await at.engine();
    const port = await freePort();
    await at.mtp('config', 'set', 'listen.port', String(port));
    expect(await at.mtp('reload')).toMatchObject({ status: 64 });
    const planned = await at.mtp('reload', '--dry-run', '--json');
    expect(JSON.parse(planned.stdout)).toMatchObject({ dryRun: true, restartNeeded: ['listen.port'] });
    const left = await at.mtp('reload', '--no-hand-over', '--json');
    expect(JSON.parse(left.stdout)).toMatchObject({ restartNeeded: ['listen.port'], handOver: null });
    expect(await at.engine()).toBe(engine);
    const done = await at.mtp('reload', '--yes', '--json');
    expect(JSON.parse(done.stdout), done.stdout).toMatchObject({
      restartNeeded: [],
      handOver: { previousPid: engine },
    });
    expect(await at.handshake(port)).toBe(true);
    await expect.poll(async () => refuses({ host: '127.0.0.1', port: at.port })).toBe(true);
    await expect.poll(async () => (await at.status())?.engine.draining.length).toBe(0);
  });

  test('serves with another number of workers on the same port, and cuts nobody', async () => {
    await at.startSettled();
    const engine = await at.engine();
    const client = await at.lingering();
    const set = await at.mtp('config', 'set', 'workers.count', '3');
    expect(set.stdout).toContain('Another engine process is needed for workers.count: mtp reload');
    const done = await at.mtp('reload', '--yes', '--json');
    expect(JSON.parse(done.stdout), done.stdout).toMatchObject({ handOver: { previousPid: engine } });
    expect((await at.status())?.engine).toMatchObject({ workers: 3, listening: { port: at.port } });
    expect(await at.handshake()).toBe(true);
    expect(client.destroyed || client.readableEnded).toBe(false);
    client.destroy();
  }, 30_000);

  test('to a port that is taken stays where it is', async () => {
    await at.mtp('start');
    const [engine, taken] = [await at.engine(), net.createServer().listen(0)];
    await once(taken, 'listening');
    await at.mtp('config', 'set', 'listen.port', String((taken.address() as net.AddressInfo).port));
    const failed = await at.mtp('reload', '--yes');
    expect(failed).toMatchObject({ status: 6, stderr: expect.stringContaining('EADDRINUSE') as string });
    expect(await at.engine()).toBe(engine);
    expect(await at.handshake()).toBe(true);
    taken.close();
  });

  test('two at once come one after the other', async () => {
    await at.mtp('start');
    await at.mtp('config', 'set', 'workers.count', '1');
    const both = await Promise.all([at.mtp('reload', '--yes', '--json'), at.mtp('reload', '--yes', '--json')]);
    expect(both.map(({ status }) => status)).toEqual([0, 0]);
    const replies = both.map(({ stdout }) => JSON.parse(stdout) as { changed: boolean; revision: string });
    expect(replies.filter(({ changed }) => changed)).toHaveLength(1);
    expect(new Set(replies.map(({ revision }) => revision)).size).toBe(1);
    expect((await at.status())?.engine.workers).toBe(1);
  });

  test('by SIGHUP does the same', async () => {
    await at.mtp('start');
    const engine = await at.engine();
    await at.mtp('config', 'set', 'workers.count', '1');
    process.kill(await at.pid(), 'SIGHUP');
    await expect.poll(async () => (await at.status())?.engine.workers, { timeout: 20_000 }).toBe(1);
    expect(await at.engine()).not.toBe(engine);
  });

  test('starts an engine at once that waits to be started again', async () => {
    await at.mtp('start');
    const state = async (): Promise<string | undefined> => (await at.status())?.engine.state;
    for (const next of ['running', 'restarting']) {
      process.kill(await at.engine(), 'SIGKILL');
      await expect.poll(state).toBe('restarting');
      if (next === 'running') await expect.poll(state, { timeout: 10_000 }).toBe(next);
    }
    await expect(start(at.paths, { allowRoot: false })).rejects.toMatchObject({ code: 'NOT_SERVING', exit: 1 });
    const reply = await reloadDaemon(at.paths);
    expect(reply).toMatchObject({ changed: true, handOver: { previousPid: null } });
    expect(await at.handshake()).toBe(true);
    expect(await at.mtp('start')).toMatchObject({ status: 0 });
  });

  test('without a proxy is an error', async () => {
    expect(await at.mtp('reload')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('no proxy runs') as string,
    });
  });
});

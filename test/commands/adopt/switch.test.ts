import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeHandshake } from '../../../src/lib/probe/handshake.ts';
import { findPortHolders } from '../../../src/lib/system/port-holder.ts';
import { type Installation, installation } from '../../support/installation.ts';
import { freePort } from '../../support/load.ts';
import { startOtherProxy } from '../../support/other-proxy.ts';

const KEY = randomBytes(16);
const SECRET = `ee${KEY.toString('hex')}${Buffer.from('cover.test').toString('hex')}`;

let at: Installation;
let port: number;
beforeEach(async () => {
  at = await installation();
  port = await freePort();
});
afterEach(async () => at.close());

async function linkWorks(): Promise<boolean> {
  const edges = { timeoutMs: 4000, random: randomBytes, now: Date.now };
  const verdict = await probeHandshake(
    { host: '127.0.0.1', port },
    { mode: 'ee', key: KEY, domain: 'cover.test' },
    edges,
  );
  return verdict.ok;
}

async function holders(): Promise<number[]> {
  return (await findPortHolders(port)).map(({ pid }) => pid);
}

describe('mtp adopt --switch', () => {
  it('ends the other proxy, serves in its place, and shows that the same link works', async () => {
    const other = await startOtherProxy(at.home, { port, secret: SECRET });
    expect(await linkWorks()).toBe(true);
    const dry = await at.mtp('adopt', '--pid', String(other.pid), '--switch', '--dry-run');
    expect(dry.stdout).toContain(`end mtg (process ${other.pid}) by SIGTERM`);
    expect(await holders()).toEqual([other.pid]);
    const ended = await at.mtp('adopt', '--pid', String(other.pid), '--switch', '--yes');
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(ended.stdout).toMatch(/mtg \(process \d+\) has ended; mtp \(process \d+\) serves port \d+/);
    expect(ended.stdout).toContain('1 link tried: it works as before');
    expect(ended.stdout).not.toContain(KEY.toString('hex'));
    expect(other.signalCode).toBe('SIGTERM');
    expect(await holders()).not.toContain(other.pid);
    expect(await linkWorks()).toBe(true);
    expect((await at.status())?.engine.listening?.port).toBe(port);
  }, 60_000);

  it('starts the other one again where mtp does not accept its link', async () => {
    const other = await startOtherProxy(at.home, { port, secret: SECRET });
    // What the daemon gets from its environment counts before the file that was taken over.
    at.env.MTP_PROTOCOL_MODES = 'dd';
    const ended = await at.mtp('adopt', '--pid', String(other.pid), '--switch', '--yes', '--json');
    expect(ended.status).toBe(6);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      error: { code: 'SWITCH_UNDONE', hint: expect.stringContaining('mtg runs again') as string },
    });
    expect(other.signalCode).toBe('SIGTERM');
    expect(await at.status()).toBeUndefined();
    expect(await holders()).toHaveLength(1);
    expect(await linkWorks()).toBe(true);
  }, 60_000);

  it('leaves the other one serving when it is interrupted', async () => {
    // It ignores the order to end, so that the switch waits for it.
    const other = await startOtherProxy(at.home, { port, secret: SECRET, env: { STAND_IN_STAYS: '1' } });
    const running = at.mtpChild('adopt', '--pid', String(other.pid), '--switch', '--yes');
    const closed = once(running, 'exit');
    await once(other.stdout as NodeJS.ReadableStream, 'data');
    running.kill('SIGINT');
    await closed;
    expect(running.exitCode).toBe(130);
    expect(await at.status()).toBeUndefined();
    expect(await holders()).toEqual([other.pid]);
    expect(await linkWorks()).toBe(true);
  }, 60_000);

  it.each([
    ['does not accept its own secret', { STAND_IN_REFUSES: '1' }, 'does not accept its secret'],
    ['listens elsewhere than it says', { STAND_IN_PORT: '0' }, 'does not listen on port'],
  ])('stops nothing where the other one %s', async (_what, env, why) => {
    const other = await startOtherProxy(at.home, { port, secret: SECRET, env });
    const ended = await at.mtp('adopt', '--pid', String(other.pid), '--switch', '--yes');
    expect(ended.status).toBe(5);
    expect(ended.stderr).toContain(why);
    expect(other.exitCode ?? other.signalCode).toBe(null);
    expect((await at.mtp('user', 'list')).stdout).toContain('No users yet');
  });

  it('never ends a process that is no proxy, whatever its number', async () => {
    const stranger = spawn('sleep', ['60']);
    await once(stranger, 'spawn');
    const ended = await at.mtp('adopt', '--pid', String(stranger.pid), '--switch', '--yes');
    expect(ended.status).toBe(5);
    expect(ended.stderr).toContain('not that of mtg');
    expect(stranger.exitCode ?? stranger.signalCode).toBe(null);
    stranger.kill();
  });

  it('leaves a proxy of ours alone', async () => {
    await at.mtp('start');
    const other = await startOtherProxy(at.home, { port, secret: SECRET });
    const ended = await at.mtp('adopt', '--pid', String(other.pid), '--switch', '--yes');
    expect(ended.status).toBe(5);
    expect(ended.stderr).toContain('runs here already');
    expect(await holders()).toEqual([other.pid]);
  }, 30_000);

  describe('of a unit', () => {
    let log: string;
    /** Plays systemctl for one unit, with the other proxy as its process. */
    async function playSystemd(other: number): Promise<void> {
      const bin = path.join(at.home, 'bin');
      const pidFile = path.join(at.home, 'unit.pid');
      log = path.join(at.home, 'systemctl.log');
      await mkdir(bin);
      await writeFile(pidFile, String(other));
      const command = [process.execPath, path.join(at.home, 'mtg'), 'simple-run', `127.0.0.1:${port}`, SECRET].join(
        ' ',
      );
      const script = [
        '#!/bin/sh',
        `echo "$*" >> ${log}`,
        'case $1 in',
        `  cat) printf '[Service]\\nExecStart=%s\\n' '${command}' ;;`,
        `  show) cat ${pidFile} ;;`,
        `  stop) kill $(cat ${pidFile}) ;;`,
        `  start) setsid ${command} >/dev/null 2>&1 & echo $! > ${pidFile} ;;`,
        'esac',
      ];
      await writeFile(path.join(bin, 'systemctl'), script.join('\n'), { mode: 0o755 });
      at.env.PATH = `${bin}:${at.env.PATH}`;
    }
    const verbs = async (): Promise<string[]> =>
      (await readFile(log, 'utf8')).split('\n').filter((line) => /^(stop|start|disable)/.test(line));

    it('disables it only once all holds', async () => {
      await playSystemd((await startOtherProxy(at.home, { port, secret: SECRET })).pid);
      const ended = await at.mtp('adopt', '--unit', 'mtg.service', '--switch', '--yes');
      expect(ended).toMatchObject({ status: 0, stderr: '' });
      expect(await verbs()).toEqual(['stop --no-block -- mtg.service', 'disable -- mtg.service']);
      expect(await linkWorks()).toBe(true);
    }, 60_000);

    it('starts it again where mtp does not accept its link', async () => {
      await playSystemd((await startOtherProxy(at.home, { port, secret: SECRET })).pid);
      at.env.MTP_PROTOCOL_MODES = 'dd';
      const ended = await at.mtp('adopt', '--unit', 'mtg.service', '--switch', '--yes');
      expect(ended.status).toBe(6);
      expect(await verbs()).toEqual(['stop --no-block -- mtg.service', 'start --no-block -- mtg.service']);
      expect(await linkWorks()).toBe(true);
    }, 60_000);

    it('is left alone where its process is not the program that the unit names', async () => {
      const stranger = spawn('sleep', ['60']);
      await once(stranger, 'spawn');
      await playSystemd(stranger.pid ?? 0);
      const ended = await at.mtp('adopt', '--unit', 'mtg.service', '--switch', '--yes');
      expect(ended.status).toBe(5);
      expect(ended.stderr).toContain('not that of mtg');
      expect(await verbs()).toEqual([]);
      expect(stranger.exitCode ?? stranger.signalCode).toBe(null);
      stranger.kill();
    });

    it('has nothing to do where the unit does not run', async () => {
      const other = await startOtherProxy(at.home, { port, secret: SECRET });
      await playSystemd(0);
      const ended = await at.mtp('adopt', '--unit', 'mtg.service', '--switch', '--yes');
      expect(ended.status).toBe(0);
      expect(ended.stdout).toContain('there is nothing to switch');
      expect(await holders()).toEqual([other.pid]);
    });
  });
});

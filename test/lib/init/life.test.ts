import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { getStatus, logLevelOf } from '../../../src/lib/control/client.ts';
import type { LogLevel } from '../../../src/lib/control/schema.ts';
import { type Account, findAccount } from '../../../src/lib/host/account.ts';
import { type Layout, systemLayout } from '../../../src/lib/init/layout.ts';
import { exec } from '../../../src/lib/system/exec.ts';
import { serviceEnvironment } from '../../../src/lib/system/paths.ts';
import { planUninstall, runUninstall } from '../../../src/lib/uninstall/uninstall.ts';
import { type InitWorld, startInitWorld, writeEarlierConfig } from '../../support/init-world.ts';
import { siteIsPossible } from '../../support/site.ts';
import { run } from './run.ts';

const BIN = fileURLToPath(new URL('../../../bin/dev.js', import.meta.url));
const canInstall = process.getuid?.() === 0 && siteIsPossible && existsSync('/usr/sbin/userdel');
const ADM = 4;

let world: InitWorld;
let layout: Layout;
let account: Account | undefined;
beforeEach(async () => {
  if (!canInstall) return;
  world = await startInitWorld();
  layout = systemLayout(world.root);
  await writeEarlierConfig(layout.paths.config, world.dc);
  await run([world.root, String(world.port), String(world.sitePort), world.nameServer, world.addressUrl]);
  account = await findAccount('mtp', world.root);
});
afterEach(async () => {
  if (!canInstall) return;
  const plan = await planUninstall(layout, false);
  if (plan !== null) await runUninstall(plan, layout, exec);
  await world.close();
});

/** A command as root has it, but for the directories. */
async function mtp(...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const env = { ...process.env, MTP_ALLOW_ROOT: undefined, ...serviceEnvironment(layout.paths) };
  const child = spawn(process.execPath, [BIN, ...args], { env });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, 'close');
  return { status: child.exitCode, stdout, stderr };
}

/** User of a process, as the kernel has it. */
async function userOf(pid: number | undefined): Promise<number> {
  return Number(/^Uid:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

describe.skipIf(!canInstall)('what was installed', { timeout: 120_000 }, () => {
  it('is looked at, stopped and started by the commands for that, always as its own user', async () => {
    const log = path.join(layout.paths.logs, 'mtp.log');
    const first = (await getStatus(layout.paths))?.pid;
    expect(JSON.parse((await mtp('status', '--json')).stdout)).toMatchObject({
      pid: first,
      engine: { state: 'running' },
    });
    expect(await userOf(first)).toBe(account?.uid);
    expect((await mtp('start')).stdout).toContain('already');
    expect((await mtp('logs')).stdout).toContain('"event":"ready"');
    expect(JSON.parse((await mtp('logs', '--json')).stdout)).toMatchObject({ source: log });
    expect(await mtp('stop')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`process ${first}`) as string,
    });
    expect((await mtp('status')).status).toBe(1);
    const started = await mtp('start', '--json');
    expect(JSON.parse(started.stdout), started.stderr).toMatchObject({ already: false, log });
    const second = await getStatus(layout.paths);
    expect(await userOf(second?.pid)).toBe(account?.uid);
    expect(await userOf(second?.engine.pid ?? undefined)).toBe(account?.uid);
    expect(await stat(log)).toMatchObject({ uid: account?.uid, gid: ADM, mode: 0o100640 });
    expect((await mtp('restart')).status).toBe(0);
    expect(await userOf((await getStatus(layout.paths))?.pid)).toBe(account?.uid);
  });
});

const canRotate = canInstall && existsSync('/usr/sbin/logrotate') && existsSync('/usr/bin/unshare');

describe.skipIf(!canRotate)('logrotate with the file that was installed', { timeout: 120_000 }, () => {
  const ROTATIONS = 9;
  const KEPT = 7;
  const levels: LogLevel[] = ['debug', 'info'];

  /** With the users of the installed system in the place of the machine's. */
  async function rotate(): Promise<void> {
    const state = path.join(world.root, 'logrotate');
    await mkdir(state, { recursive: true });
    await writeFile(
      path.join(state, 'run.sh'),
      'set -e\nmount --bind "$1/etc/passwd" /etc/passwd\nmount --bind "$1/etc/group" /etc/group\nexec logrotate --force --state "$1/logrotate/state" "$1/etc/logrotate.d/mtp"\n',
    );
    const ran = await exec('unshare', ['--mount', 'sh', path.join(state, 'run.sh'), world.root]);
    expect(ran).toMatchObject({ status: 0, stderr: '' });
  }

  async function files(): Promise<string[]> {
    return (await readdir(layout.paths.logs)).toSorted();
  }

  async function textOf(name: string): Promise<string> {
    const bytes = await readFile(path.join(layout.paths.logs, name));
    return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  }

  it('moves the log away, has a new one opened, loses no line, and keeps seven', async () => {
    let said = 0;
    const over = new AbortController();
    // Each change is a line of the log.
    const talk = (async () => {
      while (!over.signal.aborted) {
        await logLevelOf(layout.paths, levels[said % 2]);
        said += 1;
      }
    })();
    const lines: string[] = [];
    const seen = new Set<string>();
    for (let round = 1; round <= ROTATIONS; round++) {
      await rotate();
      await expect.poll(async () => textOf('mtp.log')).toContain('log_reopened');
      // Those that are moved away are written to no more.
      for (const name of (await files()).filter((known) => known !== 'mtp.log')) {
        const key = name.replace(/\.gz$/, '');
        if (!seen.has(key)) lines.push(...(await textOf(name)).split('\n'));
        seen.add(key);
        expect(await stat(path.join(layout.paths.logs, name))).toMatchObject({
          uid: account?.uid,
          gid: ADM,
          mode: 0o100640,
        });
      }
      expect((await files()).length).toBe(Math.min(round, KEPT) + 1);
      // Names have the second in them.
      await sleep(1_000);
    }
    over.abort();
    await talk;
    lines.push(...(await textOf('mtp.log')).split('\n'));
    expect(lines.filter((line) => line.includes('"event":"log_level"')).length).toBe(said);
    expect(said).toBeGreaterThan(ROTATIONS);
    expect((await files()).filter((name) => name.endsWith('.gz')).length).toBe(KEPT - 1);
    expect(await stat(path.join(layout.paths.logs, 'mtp.log'))).toMatchObject({
      uid: account?.uid,
      gid: ADM,
      mode: 0o100640,
    });
  });
});

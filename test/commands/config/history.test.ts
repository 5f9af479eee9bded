import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Installation, installation } from '../../support/installation.ts';

let at: Installation;
beforeEach(async () => {
  at = await installation();
});
afterEach(async () => at.close());

describe('history of the configuration', { timeout: 90_000 }, () => {
  test('keeps what was in force, shows what differs, and goes back', async () => {
    await at.mtp('start');
    const first = await readFile(at.paths.configFile, 'utf8');
    await at.mtp('config', 'set', 'limits.idle_timeout', '5m');
    const second = await readFile(at.paths.configFile, 'utf8');
    const listed = await at.mtp('config', 'history', '--json');
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { number: 2, current: true, revision: (await at.status())?.revision },
      { number: 1, current: false },
    ]);
    const names = await readdir(path.join(at.home, 'revisions'));
    for (const name of names) expect((await stat(path.join(at.home, 'revisions', name))).mode & 0o777).toBe(0o600);
    const diff = await at.mtp('config', 'diff', '#1');
    expect(diff.stdout).toContain('idle_timeout = "5m"');
    const dry = await at.mtp('config', 'rollback', '--dry-run');
    expect(dry.stdout).toContain('nothing was changed');
    expect(await readFile(at.paths.configFile, 'utf8')).toBe(second);
    const back = await at.mtp('config', 'rollback');
    expect(back, back.stderr).toMatchObject({ status: 0 });
    expect(await readFile(at.paths.configFile, 'utf8')).toBe(first);
    expect(JSON.parse((await at.mtp('config', 'history', '--json')).stdout)).toMatchObject([
      { number: 3, current: true },
      {},
      {},
    ]);
    expect((await at.mtp('config', 'rollback', 'ffffffff')).status).toBe(5);
  });

  test('a rollback that the engine does not take leaves the file as it was', async () => {
    await at.append('\n[limits]\nper_source = 1\n');
    await at.mtp('start');
    await at.mtp('config', 'set', 'limits.per_source', '50');
    const text = await readFile(at.paths.configFile, 'utf8');
    const socket = await at.lingering();
    expect(await at.mtp('config', 'rollback')).toMatchObject({ status: 6 });
    expect(await readFile(at.paths.configFile, 'utf8')).toBe(text);
    expect(await at.handshake()).toBe(true);
    socket.destroy();
  });
});

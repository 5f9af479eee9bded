import { rename } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Installation, installation } from '../support/installation.ts';

let at: Installation;
beforeEach(async () => {
  at = await installation();
});
afterEach(async () => at.close());

describe('log', { timeout: 90_000 }, () => {
  test('changes its level as the proxy runs, and goes on in a new file', async () => {
    await at.mtp('start');
    expect((await at.mtp('log', 'level')).stdout).toBe('The log has events from info on, as log.level says.\n');
    await at.mtp('log', 'level', 'error');
    const before = await at.log();
    await at.mtp('config', 'set', 'limits.idle_timeout', '5m');
    expect(await at.log()).toBe(before);
    await at.mtp('log', 'level', 'info');
    await at.mtp('config', 'set', 'limits.idle_timeout', '6m');
    expect((await at.mtp('logs', '-n', '1')).stdout).toContain('"event":"reloaded"');
    await rename(path.join(at.home, 'mtp.log'), path.join(at.home, 'mtp.log.1'));
    process.kill(await at.pid(), 'SIGUSR1');
    await expect.poll(async () => at.log().catch(() => '')).toContain('log_reopened');
    // The configured level takes the place of the chosen one.
    await at.mtp('log', 'level', 'error');
    await at.mtp('config', 'set', 'log.level', 'warn');
    expect(JSON.parse((await at.mtp('log', 'level', '--json')).stdout)).toEqual({
      level: 'warn',
      configured: 'warn',
      until: null,
    });
  });

  test('is missing where none was written', async () => {
    expect(await at.mtp('logs')).toMatchObject({ status: 5 });
  });
});

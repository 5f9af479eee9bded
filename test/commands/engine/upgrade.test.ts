import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Installation, installation } from '../../support/installation.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

let at: Installation;
beforeEach(async () => {
  at = await installation();
});
afterEach(async () => at.close());

describe('engine upgrade', { timeout: 120_000 }, () => {
  test('takes another package into use, goes back, and keeps what runs where the new one is broken', async () => {
    await at.mtp('start');
    const other = path.join(at.home, 'next');
    await mkdir(other);
    await cp(path.join(ROOT, 'src'), path.join(other, 'src'), { recursive: true });
    const manifest = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as object;
    await writeFile(path.join(other, 'package.json'), JSON.stringify({ ...manifest, version: '9.9.9' }));
    const upgraded = await at.mtp('engine', 'upgrade', '--package', other, '--json');
    expect(upgraded, upgraded.stdout).toMatchObject({ status: 0 });
    expect(JSON.parse(upgraded.stdout)).toMatchObject({ before: '0.1.0', version: '9.9.9', directory: other });
    expect((await at.status())?.engine.version).toBe('9.9.9');
    expect(await at.handshake()).toBe(true);

    const broken = path.join(at.home, 'broken');
    await mkdir(path.join(broken, 'src/daemon/engine'), { recursive: true });
    await writeFile(path.join(broken, 'src/daemon/engine/main.ts'), 'process.exit(9);\n');
    const engine = await at.engine();
    const failed = await at.mtp('engine', 'upgrade', '--package', broken);
    expect(failed).toMatchObject({
      status: 6,
      stderr: expect.stringContaining('status 9; the running one goes on') as string,
    });
    expect(await at.engine()).toBe(engine);

    const back = await at.mtp('engine', 'rollback', '--json');
    expect(JSON.parse(back.stdout)).toMatchObject({ before: '9.9.9', version: '0.1.0' });
    expect(await at.handshake()).toBe(true);
  });

  test('without an earlier engine there is nothing to go back to', async () => {
    await at.mtp('start');
    expect(await at.mtp('engine', 'rollback')).toMatchObject({ status: 5 });
  });
});

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findTarget } from '../../../src/lib/service/target.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'mtp-target-'));
});
afterEach(async () => rm(root, { recursive: true }));

async function machine({ booted, unit }: { booted: boolean; unit: boolean }): Promise<void> {
  if (booted) await mkdir(path.join(root, 'run/systemd/system'), { recursive: true });
  if (!unit) return;
  await mkdir(path.join(root, 'etc/systemd/system'), { recursive: true });
  await writeFile(path.join(root, 'etc/systemd/system/mtp.service'), '[Service]\n');
}

describe('what looks after the proxy', () => {
  test.each([
    [{ booted: true, unit: true }, 'systemd'],
    [{ booted: true, unit: false }, 'background'],
    [{ booted: false, unit: true }, 'background'],
  ] as const)('with %o it is %s', async (facts, target) => {
    await machine(facts);
    expect(await findTarget({ config: '/etc/mtp' }, root)).toBe(target);
  });

  test('another home is no business of the unit', async () => {
    await machine({ booted: true, unit: true });
    expect(await findTarget({ config: '/srv/second' }, root)).toBe('background');
  });
});

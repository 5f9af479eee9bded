import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findTarget, stopTarget } from '../../../src/lib/service/target.ts';

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

test.each([
  ['systemd', 40, ['node', 'run.js', 'run', '--daemon'], 'systemd'],
  ['background', 40, ['node', 'run.js', 'run', '--daemon'], 'background'],
  ['background', 40, ['node', 'run.js', 'run', '--port', '8443'], 'foreground'],
  ['background', 1, ['node', 'run.js', 'run', '--daemon'], 'container'],
] as const)('under %s process %i of %j is stopped as %s', (target, pid, words, wanted) => {
  expect(stopTarget(target, pid, words)).toBe(wanted);
});

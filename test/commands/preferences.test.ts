import { mkdtemp, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import Preferences from '../../src/commands/preferences.ts';
import { EXIT } from '../../src/lib/errors.ts';
import { wantsQr } from '../../src/lib/ui/preferences.ts';
import { run } from '../support/run-command.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'mtp-preferences-'));
  vi.stubEnv('XDG_CONFIG_HOME', directory);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true });
});

test('a preference is kept for its owner alone until it is reset', async () => {
  expect(await wantsQr(undefined, true)).toBe(true);
  expect(await wantsQr(undefined, false)).toBe(false);
  expect((await run(Preferences, ['qr', 'never'])).stdout).toContain('never');
  expect((await stat(path.join(directory, 'mtp/preferences.json'))).mode & 0o777).toBe(0o600);
  expect(await wantsQr(undefined, true)).toBe(false);
  expect(await wantsQr(true, false)).toBe(true);
  await run(Preferences, ['--reset']);
  expect(await wantsQr(undefined, true)).toBe(true);
});

test('an unknown preference or value is refused with what is allowed', async () => {
  expect((await run(Preferences, ['colour', 'red'])).error).toMatchObject({
    exit: EXIT.usage,
    hint: 'Preferences are: qr',
  });
  expect((await run(Preferences, ['qr', 'maybe'])).error).toMatchObject({
    exit: EXIT.usage,
    hint: 'Allowed: auto, always, never',
  });
});

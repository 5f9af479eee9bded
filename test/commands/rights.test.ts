import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findAccount } from '../../src/lib/system/accounts.ts';
import { findProgram } from '../../src/lib/system/program.ts';
import { type Installation, installation } from '../support/installation.ts';

let at: Installation;
beforeEach(async () => {
  at = await installation();
});
afterEach(async () => at.close());

describe('rights of the engine', { timeout: 90_000 }, async () => {
  const possible =
    process.getuid?.() === 0 &&
    (await findProgram('setpriv')) !== undefined &&
    (await findAccount('nobody')) !== undefined;

  test.skipIf(!possible)(
    'as root it is another user with no capability, and remembers replays all the same',
    async () => {
      await at.append('\n[engine]\nuser = "nobody"\n');
      const started = await at.mtp('start');
      expect(started, started.stderr).toMatchObject({ status: 0 });
      const proc = await readFile(`/proc/${await at.engine()}/status`, 'utf8');
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
        expect(proc).toMatch(new RegExp(`^${set}:\\s+0+$`, 'm'));
      expect(proc).toMatch(/^NoNewPrivs:\s+1$/m);
      expect((await at.status())?.engine.process).toMatchObject({ user: 'nobody', noNewPrivs: true });
      expect(await at.handshake()).toBe(true);
      const journal = path.join(at.home, 'engine', 'replay.journal');
      await expect.poll(async () => (await stat(journal).catch(() => ({ size: 0 }))).size).toBe(16);
      expect((await stat(journal)).uid).toBe((await findAccount('nobody'))?.uid);
    },
  );

  test.skipIf(!possible)('a service does not run its engine as root unless that is allowed', async () => {
    await at.append('\n[engine]\nuser = "root"\n');
    at.env.MTP_ALLOW_ROOT = undefined;
    expect(await at.mtp('start')).toMatchObject({
      status: 5,
      stderr: expect.stringContaining('--allow-root') as string,
    });
    expect((await at.mtp('start', '--allow-root')).status).toBe(0);
    expect((await at.status())?.engine.process?.uid).toBe(0);
  });

  test.skipIf(!possible)('a user that is not there is an error', async () => {
    await at.append('\n[engine]\nuser = "nosuchuser"\n');
    expect(await at.mtp('start')).toMatchObject({
      status: 5,
      stderr: expect.stringContaining('no user nosuchuser') as string,
    });
  });
});

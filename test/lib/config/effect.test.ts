import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startControl } from '../../../src/daemon/control/server.ts';
import { describeEffect, takeEffect } from '../../../src/lib/config/effect.ts';
import type { ReloadReply } from '../../../src/lib/control/schema.ts';
import { MtpError } from '../../../src/lib/errors.ts';
import { markInForce } from '../../../src/lib/firewall/mark.ts';
import { ensureDirectory } from '../../../src/lib/system/files.ts';
import { type Paths, resolvePaths } from '../../../src/lib/system/paths.ts';
import { controlActions } from '../../support/control.ts';

let dir: string;
let paths: Paths;
const closing: (() => Promise<void>)[] = [];
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'effect-'));
  paths = resolvePaths({ home: dir, env: {}, isRoot: false, userHome: dir });
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await rm(dir, { recursive: true });
});

/** A control socket that answers a reload like this. */
async function serve(reload: () => Promise<ReloadReply>): Promise<void> {
  const server = await startControl(paths.socket, controlActions({ reload }));
  closing.push(() => server.close());
}

const REVISION = '0123456789abcdef'.repeat(4);

it('without a proxy the change counts from the next start', async () => {
  const effect = await takeEffect(paths, ['listen.port'], {});
  expect(effect).toEqual({ running: false, revision: null, restartNeeded: [], overridden: [], forFirewall: [] });
  expect(describeEffect(effect)).toEqual(['No proxy is running here; it counts from the next start.']);
});

it('names what the rules of the firewall follow', async () => {
  expect((await takeEffect(paths, ['firewall.rate', 'log.level'], {})).forFirewall).toEqual(['firewall.rate']);
  await ensureDirectory(paths.firewall);
  await markInForce(paths.firewall);
  const effect = await takeEffect(paths, ['listen.port'], {});
  expect(effect.forFirewall).toEqual(['listen.port']);
  expect(describeEffect(effect).join()).toContain('sudo mtp firewall apply');
});

it('a running proxy says what it serves and what has to wait', async () => {
  await writeFile(paths.configFile, 'listen.port = 1\n');
  await serve(() =>
    Promise.resolve({
      revision: REVISION,
      changed: true,
      restartNeeded: ['listen.port'],
      handOver: null,
      proofs: [],
      untried: 0,
      connections: null,
    }),
  );
  const effect = await takeEffect(paths, ['listen.port', 'log.level'], { MTP_LOG_LEVEL: 'warn' });
  expect(describeEffect(effect)).toEqual([
    'The running proxy serves revision 0123456789ab.',
    'Another engine process is needed for listen.port: mtp reload',
    'log.level comes from MTP_LOG_LEVEL in this environment, not from the file.',
  ]);
});

it('a handshake that fails after the change is an error', async () => {
  const proofs = [{ name: 'me', ok: false, detail: 'timed out' }];
  await serve(() =>
    Promise.resolve({
      revision: REVISION,
      changed: true,
      restartNeeded: [],
      handOver: null,
      proofs,
      untried: 0,
      connections: null,
    }),
  );
  await expect(takeEffect(paths, [], {})).rejects.toMatchObject({
    code: 'NOT_PROVED',
    message: `${paths.configFile} is written, but a handshake then failed: me: timed out`,
  });
});

it('a proxy that refuses the change is an error with its reason', async () => {
  await serve(() => Promise.reject(new MtpError('PORT_TAKEN', 'port 443 is taken', { exit: 5, hint: 'Free it.' })));
  await expect(takeEffect(paths, [], {})).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    exit: 5,
    hint: 'Free it.',
    message: `${paths.configFile} is written, but the running proxy did not take it over: port 443 is taken`,
  });
});

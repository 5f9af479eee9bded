import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadUser } from '../../../src/lib/users/load.ts';
import { isAccepted, type User } from '../../../src/lib/users/user.ts';
import { type Installation, installation } from '../../support/installation.ts';
import { connectEe } from '../../support/raw-client.ts';

const BIN = fileURLToPath(new URL('../../../bin/dev.js', import.meta.url));
/** What a rotation takes here, ms: kills are spread over it. */
const WHOLE_MS = 2000;
const KILLS = 6;

let at: Installation;
beforeEach(async () => {
  at = await installation();
});
afterEach(async () => at.close());

async function bob(): Promise<User> {
  return (await loadUser(at.paths, 'bob')).user;
}

/** Whether Telegram answers a client with this secret. */
async function works(key: string): Promise<boolean> {
  const target = { host: '127.0.0.1', port: at.port };
  const session = await connectEe(target, { key: Buffer.from(key, 'hex'), domain: 'cover.test' }).catch(() => null);
  const answered = (await session?.reqPq()) ?? false;
  session?.peer.close();
  return answered;
}

/** Everything that the ledger says of bob is what clients find. */
async function expectTruth(): Promise<void> {
  const { secrets } = await bob();
  expect(secrets.filter(({ state }) => state === 'active')).toHaveLength(1);
  const found = async (): Promise<boolean[]> => Promise.all(secrets.map(async ({ key }) => works(key)));
  await expect.poll(found, { timeout: 25_000, interval: 500 }).toEqual(secrets.map(isAccepted));
}

describe('kill -9 in the middle of a rotation', { timeout: 180_000 }, () => {
  test('of the command: the secret is replaced or not, and clients find what the ledger says', async () => {
    await at.mtp('user', 'add', 'bob');
    await at.startSettled();
    const rotate = (): ChildProcess =>
      spawn(process.execPath, [BIN, 'secret', 'rotate', 'bob', '--home', at.home], { env: at.env, stdio: 'ignore' });
    const kill = async (command: ChildProcess): Promise<void> => {
      command.kill('SIGKILL');
      if (command.exitCode === null && command.signalCode === null) await once(command, 'exit');
      await expectTruth();
    };
    for (let turn = 0; turn < KILLS; turn++) {
      const command = rotate();
      await sleep((WHOLE_MS * (turn + 0.5)) / KILLS);
      await kill(command);
    }
    // Once where the change was just kept.
    const before = (await bob()).secrets.length;
    const command = rotate();
    await expect.poll(async () => (await bob()).secrets.length, { timeout: 20_000, interval: 5 }).toBe(before + 1);
    await kill(command);
  });

  test('of the daemon: the next one serves what the ledger says', async () => {
    await at.mtp('user', 'add', 'bob');
    await at.startSettled();
    for (const after of [300, 700, 1200]) {
      const pid = await at.pid();
      const rotating = at.mtp('secret', 'rotate', 'bob', '--grace', '1h');
      await sleep(after);
      process.kill(pid, 'SIGKILL');
      await rotating;
      expect((await at.mtp('start')).status).toBe(0);
      await expectTruth();
    }
  });
});

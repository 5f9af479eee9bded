import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import type { EngineUser, UsageRow } from '../../src/daemon/supervisor/engine.ts';
import { USER_ROWS } from '../../src/daemon/engine/shared/user-table.ts';
import { engineUser } from '../support/engine-user.ts';
import { KEY, me, type RunningEngine, startEngine } from '../support/engine.ts';
import { type FakeDc, startFakeDc } from '../support/fake-dc.ts';
import { connectEe, type Session } from '../support/raw-client.ts';

const ROUND = 16_000;

let dc: FakeDc;
let proxy: RunningEngine;

afterEach(async () => {
  await proxy.stop();
  await dc.close();
});

test(
  'more users come and go than an engine has rows, and each is charged what they moved',
  { timeout: 120_000 },
  async () => {
    dc = await startFakeDc('echo');
    proxy = await startEngine({ dc });
    const held = (await connectEe(proxy.target, { key: KEY })) as Session;
    let seen = 2;
    let sent = 0;
    /** What everybody was last heard to have moved. */
    const last = new Map<string, UsageRow>();
    let recorded: number | undefined;
    const report = async (): Promise<UsageRow[]> => {
      const { serial, rows } = await proxy.engine.usage(recorded);
      for (const row of rows) last.set(row.id, row);
      recorded = serial;
      return rows;
    };
    const move = async (session: Session, bytes: number): Promise<void> => {
      session.send(randomBytes(bytes));
      expect(await session.read(bytes)).toHaveLength(bytes);
    };
    const expected = new Map<string, number>();
    for (let round = 0; seen < 1.3 * USER_ROWS; round++, seen += 2 * ROUND) {
      const users: EngineUser[] = Array.from({ length: ROUND }, (_, at) => {
        return engineUser(`${round}-${at}`, randomBytes(16).toString('hex'), 'cover.test');
      });
      await proxy.apply({}, [me, ...users]);
      const someone = users[round * 97] as EngineUser;
      const session = (await connectEe(proxy.target, {
        key: Buffer.from(someone.secrets[0]?.key ?? '', 'hex'),
      })) as Session;
      const bytes = 10_000 + round;
      await move(session, bytes);
      await move(held, 1000);
      sent += 1000;
      expected.set(someone.id, bytes);
      session.peer.close();
      await expect.poll(async () => (await proxy.stats()).connections.relayed).toBe(1);
      await report();
      await report();
    }
    // What goes through a lane is counted a little later.
    await expect
      .poll(async () => (await report()).find(({ id }) => id === 'me'))
      .toMatchObject({ era: 0, up: sent, down: sent });
    for (const [id, bytes] of expected) expect(last.get(id)).toMatchObject({ up: bytes, down: bytes });
    held.peer.close();
  },
);

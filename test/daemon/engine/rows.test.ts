import { randomInt } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Rows } from '../../../src/daemon/engine/rows.ts';
import { sourceOf } from '../../../src/daemon/engine/shared/source.ts';
import type { UserRows } from '../../../src/daemon/engine/shared/user-rows.ts';
import { UserTable } from '../../../src/daemon/engine/shared/user-table.ts';
import { Stay } from '../../../src/daemon/engine/stay.ts';
import { UserKeeper } from '../../../src/daemon/engine/user-keeper.ts';
import type { FoundUser } from '../../../src/daemon/engine/user-set.ts';
import type { Engine, EngineUsage, EngineUser } from '../../../src/daemon/supervisor/engine.ts';
import { UsageBooks } from '../../../src/daemon/usage/books.ts';
import { withLedger } from '../../../src/lib/ledger/open.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { importUsers } from '../../../src/lib/users/import.ts';
import { listUsers } from '../../../src/lib/users/load.ts';
import { engineUser } from '../../support/engine-user.ts';
import { pathsIn } from '../../support/files.ts';
import { seeded } from '../../support/random.ts';

const here = sourceOf('192.0.2.1', [1, 2]);

describe('a row', () => {
  const unlimited = { connections: null, networks: null, upBytesPerSecond: null, downBytesPerSecond: null };
  const tableOf = (size: number) => {
    const table = UserTable.create(100, 1, size);
    const rows = new Rows(table);
    const take = (...ids: string[]): void => {
      rows.confirm(rows.assign(new Set(ids)).turn);
      for (const id of ids) table.setLimits(rows.of(id), unlimited);
    };
    return { rows, take, worker: table.worker(0) };
  };

  test('that nobody used is free as soon as every worker has forgotten it', () => {
    const { rows, take } = tableOf(2);
    take('ann', 'bob');
    const { turn } = rows.assign(new Set(['ann']));
    expect(() => rows.assign(new Set(['ann', 'cid']))).toThrow(/room for 0 more .* these are 1/);
    rows.confirm(turn);
    take('ann', 'cid');
    expect(rows.of('cid')).toBe(1);
  });

  test('that was used is free when its last figures are written down, and not while somebody is connected', () => {
    const { rows, take, worker } = tableOf(1);
    take('ann');
    worker.enter(0, here, 1);
    worker.moved(0, 10, 20);
    take();
    rows.recorded(rows.report().serial);
    expect(() => take('bob')).toThrow('room');
    worker.moved(0, 1, 2);
    worker.leave(0, here);
    const { serial, rows: last } = rows.report();
    expect(last).toMatchObject([{ id: 'ann', up: 11, down: 22, connections: 0 }]);
    rows.recorded(serial - 1);
    expect(() => take('bob')).toThrow('room');
    rows.recorded(serial);
    expect(rows.report().rows).toEqual([]);
    take('bob');
    worker.enter(0, here, 5);
    expect(rows.report().rows).toMatchObject([{ id: 'bob', up: 0, down: 0, lastSeen: 5, era: 1 }]);
  });

  test('of somebody who comes back in time goes on, and is not given up for a report of before', () => {
    const { rows, take, worker } = tableOf(1);
    take('ann');
    worker.enter(0, here, 1);
    worker.moved(0, 10, 0);
    worker.leave(0, here);
    take();
    const { serial } = rows.report();
    take('ann');
    rows.recorded(serial);
    expect(rows.report().rows).toMatchObject([{ id: 'ann', era: 0, up: 10 }]);
  });

  test('that has had another user keeps nothing of them', () => {
    const made = UserTable.create(100, 2, 1);
    made.setLimits(0, { connections: 1, networks: 1, upBytesPerSecond: 1, downBytesPerSecond: 1 });
    made.worker(1).enter(0, here, 7);
    made.worker(1).moved(0, 3, 4);
    made.worker(1).pay(0, 'up', 1000, 5);
    made.worker(1).cameLate(0, 9);
    made.worker(1).leave(0, here);
    made.clear(0);
    expect(made.usage(0)).toEqual({ up: 0, down: 0, connections: 0, networks: 0, lastSeen: 0, stale: 0, staleAt: 0 });
    expect(made.state(0)).toBe('gone');
    made.setLimits(0, { ...unlimited, upBytesPerSecond: 1 });
    expect(made.worker(0).pay(0, 'up', 0, 0)).toBe(0);
  });
});

const SEED = Number(process.env['MTP_ROWS_SEED'] ?? randomInt(2 ** 31));
const STEPS = 40_000;
const ROWS = 60;
const WORKERS = 3;

/** A worker thread as far as the table of users knows one: whom it would let in, and who is connected. */
interface Thread {
  rows: UserRows;
  /** Those of the revision that it has taken over last. */
  known: { id: string; found: FoundUser }[];
  /** Revisions that it has been sent. */
  inbox: { turn: number; known: Thread['known'] }[];
  turn: number;
  sessions: { id: string; stay: Stay }[];
}

describe('users that come and go', () => {
  let home: string;
  let files: Paths;

  beforeEach(async () => {
    home = await mkdtemp(path.join(os.tmpdir(), 'mtp-rows-'));
    files = pathsIn(home);
  });
  afterEach(async () => rm(home, { recursive: true, force: true }));

  const countedBy = async (): Promise<Map<string, [number, number]>> =>
    withLedger(files.ledgerFile, async (ledger) => {
      const rows = await ledger
        .selectFrom('usage')
        .where('span', '=', 'month')
        .select(({ fn }) => ['user_id', fn.sum<number>('up').as('up'), fn.sum<number>('down').as('down')])
        .groupBy('user_id')
        .execute();
      return new Map(rows.map(({ user_id, up, down }) => [user_id, [up, down]]));
    });

  test(`are charged what they moved, to the byte (seed ${SEED})`, { timeout: 120_000 }, async () => {
    const random = seeded(SEED);
    const below = (end: number): number => Math.floor(random() * end);
    const pick = <Item>(list: readonly Item[]): Item | undefined => list[below(list.length)];
    const file = path.join(home, 'users.csv');
    const names = Array.from({ length: 100 }, (_, at) => `user-${at}`);
    await writeFile(file, `name\n${names.join('\n')}\n`, { mode: 0o600 });
    await importUsers(files, file, { partial: false, dryRun: false, allowWeak: false });
    const people = (await listUsers(files)).map(({ id }) => id);

    const table = UserTable.create(1000, WORKERS, ROWS);
    const keeper = new UserKeeper(table, () => undefined);
    const threads = Array.from({ length: WORKERS }, (_, at): Thread => {
      return { rows: table.worker(at), known: [], inbox: [], turn: 0, sessions: [] };
    });
    let users: EngineUser[] = [];
    let [secrets, full, rotated, crashes] = [0, 0, 0, 0];
    const moved = new Map<string, [number, number]>();

    const apply = (next: EngineUser[]): void => {
      let turn: number;
      try {
        turn = keeper.apply(next);
      } catch {
        full += 1;
        return;
      }
      users = next;
      const known = users.flatMap(({ id, secrets: [secret] }) => {
        const [row, secretRow] = [keeper.rowOf(id), keeper.rowOf(secret?.id ?? '')];
        return [{ id, found: { row, secretRow, key: Buffer.alloc(16), domain: '', stale: false } }];
      });
      for (const thread of threads) thread.inbox.push({ turn, known });
    };
    const secretOf = (id: string): EngineUser =>
      engineUser(id, '', '', {
        secrets: [{ id: `secret-${++secrets}`, key: '', state: 'active', maxNetworks: null }],
      });
    const takeOver = (thread: Thread): void => {
      const [next] = thread.inbox.splice(0, 1);
      if (next === undefined) return;
      Object.assign(thread, next);
      keeper.confirm(Math.min(...threads.map(({ turn }) => turn)));
    };
    const connect = (thread: Thread): void => {
      const known = pick(thread.known);
      if (known === undefined) return;
      const from = sourceOf(`10.0.0.${below(5)}`, [1, 2]);
      const stay = Stay.begin(thread.rows, known.found, from, 1_700_000_000);
      if (stay instanceof Stay) thread.sessions.push({ id: known.id, stay });
    };
    const move = (thread: Thread): void => {
      const session = pick(thread.sessions);
      if (session === undefined) return;
      const [up, down] = [below(1000), below(100_000)];
      session.stay.moved(up, down);
      const [before, after] = moved.get(session.id) ?? [0, 0];
      moved.set(session.id, [before + up, after + down]);
    };
    const close = (thread: Thread): void => {
      // Those that may not go on first, as a review closes them a little later.
      const at = thread.sessions.findIndex(({ stay }) => !stay.allowed);
      const [gone] = thread.sessions.splice(at === -1 ? below(thread.sessions.length) : at, 1);
      gone?.stay.end();
      gone?.stay.moved(1, 1);
    };
    const crash = (thread: Thread, at: number): void => {
      crashes += 1;
      thread.sessions = [];
      while (thread.inbox.length > 0) takeOver(thread);
      table.release(at);
    };

    let [answers, lost] = [0, 0];
    const engine = {
      usage: async (recorded?: number): Promise<EngineUsage> => {
        if (random() < 0.1) throw new Error('no answer');
        if (recorded !== undefined) keeper.recorded(recorded);
        const report = { epoch: 'e'.repeat(32), ...keeper.usage() };
        answers += 1;
        if (random() < 0.1) {
          lost += 1;
          throw new Error('the answer came too late');
        }
        return report;
      },
      allow: async (): Promise<void> => undefined,
    } as unknown as Engine;
    let time = Date.UTC(2027, 2, 15);
    const open = (): UsageBooks =>
      new UsageBooks({
        files,
        directory: path.join(home, 'engine'),
        engines: () => [{ engine, pid: 2 ** 22 + 1 }],
        orphaned: () => false,
        intervalMs: () => 5000,
        log: (_level, event) => expect(event).not.toBe('counter_shrank'),
        now: () => time,
      });
    let books = open();

    for (let step = 0; step < STEPS; step++) {
      const at = below(WORKERS);
      const thread = threads[at] as Thread;
      const dice = random();
      if (dice < 0.25) connect(thread);
      else if (dice < 0.55) move(thread);
      else if (dice < 0.77) close(thread);
      else if (dice < 0.89) takeOver(thread);
      else if (dice < 0.92) {
        const away = people.filter((id) => !users.some((user) => user.id === id));
        if (users.length < 20) apply([...users, ...away.slice(below(away.length)).slice(0, 3).map(secretOf)]);
      } else if (dice < 0.94) {
        apply(users.filter(() => random() < 0.9));
      } else if (dice < 0.975) {
        rotated += 1;
        apply(users.map((user) => (random() < 0.3 ? secretOf(user.id) : user)));
      } else if (dice < 0.976) crash(thread, at);
      else if (dice < 0.99) {
        // Far enough apart for the marks of what is over to be tidied away now and then.
        time += below(20 * 60_000);
        await books.flush();
      } else if (dice < 0.991) books = open();
    }
    while (threads.some(({ sessions }) => sessions.length > 0)) for (const thread of threads) close(thread);
    apply([]);
    while (threads.some(({ inbox }) => inbox.length > 0)) for (const thread of threads) takeOver(thread);
    for (let flush = 0; flush < 12; flush++) await books.flush();
    keeper.close();

    expect(await countedBy()).toEqual(moved);
    expect(keeper.usage().rows).toEqual([]);
    expect(secrets).toBeGreaterThan(20 * ROWS);
    expect(Math.min(full, rotated, crashes, answers, lost)).toBeGreaterThan(10);
  });
});

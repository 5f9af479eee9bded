import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Allowances, Engine, UsageRow } from '../../../src/daemon/supervisor/engine.ts';
import { UsageBooks } from '../../../src/daemon/usage/books.ts';
import { withLedger } from '../../../src/lib/ledger/open.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { listUsage } from '../../../src/lib/usage/read.ts';
import { resetUsage } from '../../../src/lib/usage/reset.ts';
import { addUser, setUser } from '../../../src/lib/users/store.ts';
import { pathsIn } from '../../support/files.ts';

const NOW = Date.UTC(2027, 2, 15);
/** Larger than any process number of Linux. */
const GONE = 2 ** 22 + 1;

/** An engine as far as the books know one. */
class ScriptedEngine {
  readonly epoch = randomBytes(16).toString('hex');
  readonly told: Allowances[] = [];
  rows: UsageRow[] = [];
  fails = false;
  serial = 0;
  readonly recorded: (number | undefined)[] = [];

  used(id: string, up: number, era = 0): void {
    this.rows = [{ id, era, up, down: 0, connections: 1, networks: 1, lastSeen: NOW / 1000, stale: 0, staleAt: 0 }];
  }

  async usage(recorded?: number) {
    this.recorded.push(recorded);
    if (this.fails) throw new Error('no answer');
    return { epoch: this.epoch, serial: ++this.serial, rows: this.rows };
  }

  async allow(allowances: Allowances): Promise<void> {
    this.told.push(allowances);
  }
}

let home: string;
let files: Paths;
let directory: string;
let id: string;
let engines: ScriptedEngine[];
let orphaned: boolean;
let now: number;
let logged: string[];
let books: UsageBooks;

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-books-'));
  files = pathsIn(home);
  directory = path.join(home, 'engine');
  await mkdir(directory);
  ({ id } = await addUser(files, { name: 'bob' }));
  engines = [new ScriptedEngine()];
  orphaned = false;
  now = NOW;
  logged = [];
  books = start();
});
afterEach(async () => rm(home, { recursive: true, force: true }));

function start(): UsageBooks {
  return new UsageBooks({
    files,
    directory,
    engines: () => engines.map((engine, at) => ({ engine: engine as unknown as Engine, pid: GONE + 100 + at })),
    orphaned: () => orphaned,
    intervalMs: () => 5000,
    log: (_level, event) => void logged.push(event),
    now: () => now,
  });
}

const engine = (): ScriptedEngine => engines[0] as ScriptedEngine;
const counted = async (): Promise<number | undefined> => (await listUsage(files, now))[0]?.used.up;
const marks = async (): Promise<string[]> =>
  withLedger(files.ledgerFile, async (ledger) => {
    const rows = await ledger.selectFrom('usage_marks').select('epoch').distinct().execute();
    return rows.map(({ epoch }) => epoch);
  });

async function leave(epoch: string, up: number, change: object = {}): Promise<string> {
  const rows = [{ id, era: 0, up, down: 0, lastSeen: 1 }];
  const file = path.join(directory, `usage-${epoch}.json`);
  await writeFile(file, JSON.stringify({ version: 1, epoch, pid: GONE, at: NOW, final: false, rows, ...change }));
  return file;
}

describe('engines that answer', () => {
  test('are counted once, by a daemon that goes on and by the next one', async () => {
    engine().used(id, 10);
    await books.flush();
    await books.flush();
    expect(await counted()).toBe(10);
    books = start();
    engine().used(id, 15);
    await books.flush();
    expect(await counted()).toBe(15);
    expect(books.state).toEqual({ flushedAt: NOW - 250, failure: null });
  });

  test('are told what is in the ledger, once it is', async () => {
    engine().used(id, 10);
    await books.flush();
    const away = `${files.ledgerFile}.away`;
    await rename(files.ledgerFile, away);
    await mkdir(files.ledgerFile);
    engine().used(id, 11);
    await books.flush();
    await books.flush();
    expect(engine().recorded).toEqual([undefined, 1, 1]);
    await rm(files.ledgerFile, { recursive: true });
    await rename(away, files.ledgerFile);
    await books.flush();
    await books.flush();
    expect(engine().recorded).toEqual([undefined, 1, 1, 1, 4]);
    expect(await counted()).toBe(11);
  });

  test('who comes back after everything was written down is counted from nothing, and against the quota', async () => {
    const quota = { bytes: 100, period: 'total', start: 0 } as const;
    await setUser(files, 'bob', ({ limits }) => ({ limits: { ...limits, quota } }));
    engine().used(id, 60);
    await books.flush();
    engine().rows = [];
    await books.flush();
    engine().used(id, 15, 3);
    await books.flush();
    await books.flush();
    expect(await counted()).toBe(75);
    expect(engine().told.at(-1)).toEqual({ [id]: 40 });
    books = start();
    engine().used(id, 20, 3);
    await books.flush();
    expect(await counted()).toBe(80);
  });

  test('one that does not answer writes nothing, and is caught up with', async () => {
    engines.push(new ScriptedEngine());
    engine().used(id, 10);
    engines[1]?.used(id, 5);
    engine().fails = true;
    await books.flush();
    expect(await counted()).toBe(5);
    expect(books.state.flushedAt).toBeNull();
    engine().fails = false;
    await books.flush();
    expect(await counted()).toBe(15);
  });

  test('a ledger that cannot be written loses nothing, and is told of once', async () => {
    engine().used(id, 10);
    const keyring = `${files.ledgerFile}.away`;
    await rename(files.ledgerFile, keyring);
    await books.flush();
    await books.flush();
    expect(books.state.failure).toContain('is missing');
    await rename(keyring, files.ledgerFile);
    await books.flush();
    expect(logged).toEqual(['usage_not_written', 'usage_written_again']);
    expect(await counted()).toBe(10);
  });

  test('a counter that shrinks is logged', async () => {
    engine().used(id, 10);
    await books.flush();
    engine().used(id, 9);
    await books.flush();
    expect(logged).toEqual(['counter_shrank']);
    expect(await counted()).toBe(10);
  });
});

describe('files of engines without a daemon', () => {
  test('are counted on top of what the daemon before had asked, and removed when their engine is gone', async () => {
    engine().used(id, 10);
    await books.flush();
    const { epoch } = engine();
    engines = [];
    books = start();
    await leave(epoch, 25);
    await books.flush();
    expect(await counted()).toBe(25);
    expect(await readdir(directory)).toEqual([]);
    await books.close();
    expect(await counted()).toBe(25);
  });

  test('one of an engine of before, which knows no eras, is counted', async () => {
    await leave('a'.repeat(32), 0, { rows: [{ id, up: 25, down: 0, lastSeen: 1 }] });
    await books.flush();
    expect(await counted()).toBe(25);
    expect(logged).toEqual([]);
  });

  test('the same file again, after a kill before it was removed, adds nothing', async () => {
    engines = [];
    const epoch = 'a'.repeat(32);
    await leave(epoch, 25);
    orphaned = true;
    await books.flush();
    await leave(epoch, 25);
    books = start();
    await books.flush();
    expect(await counted()).toBe(25);
  });

  test('marks stay as long as an engine may still leave something', async () => {
    engine().used(id, 10);
    await books.flush();
    const { epoch } = engine();
    engines = [];
    orphaned = true;
    books = start();
    await books.flush();
    expect(await marks()).toEqual([epoch]);
    orphaned = false;
    await books.flush();
    expect(await marks()).toEqual([]);
  });

  test.each([
    ['not JSON', 'x'],
    ['of another shape', '{"version":2}'],
    [
      'negative',
      JSON.stringify({
        version: 1,
        epoch: 'b'.repeat(32),
        pid: GONE,
        at: 0,
        final: true,
        rows: [{ id: 'x', era: 0, up: -1, down: 0, lastSeen: 0 }],
      }),
    ],
    [
      'of another engine',
      JSON.stringify({ version: 1, epoch: 'c'.repeat(32), pid: GONE, at: 0, final: true, rows: [] }),
    ],
  ])('one that is %s is told of, left alone and holds nothing up', async (_what, text) => {
    const file = path.join(directory, `usage-${'b'.repeat(32)}.json`);
    await writeFile(file, text);
    engine().used(id, 10);
    await books.flush();
    expect(logged).toEqual(['usage_file']);
    expect(await readdir(directory)).toEqual([path.basename(file)]);
    expect(await counted()).toBe(10);
  });

  test('a link is not followed', async () => {
    const elsewhere = await leave('d'.repeat(32), 10, { epoch: 'e'.repeat(32) });
    await symlink(elsewhere, path.join(directory, `usage-${'e'.repeat(32)}.json`));
    await books.flush();
    expect(logged).toEqual(['usage_file', 'usage_file']);
    expect(await counted()).toBe(0);
  });
});

describe('quotas', () => {
  const limit = async (bytes: number) =>
    setUser(files, 'bob', ({ limits }) => ({ limits: { ...limits, quota: { bytes, period: 'day', start: NOW } } }));

  test('an engine is told how far its counter may go, again only when that changes', async () => {
    await limit(100);
    await books.flush();
    expect(engine().told).toEqual([{ [id]: 100 }]);
    engine().used(id, 30);
    await books.flush();
    await books.flush();
    expect(engine().told).toHaveLength(1);
    await limit(50);
    await books.refresh();
    expect(engine().told.at(-1)).toEqual({ [id]: 50 });
  });

  test('engines share what is left, and a new one starts from it', async () => {
    await limit(100);
    engine().used(id, 30);
    await books.flush();
    const next = new ScriptedEngine();
    engines = [next, engine()];
    await books.refresh();
    expect(next.told).toEqual([{ [id]: 70 }]);
    next.used(id, 20);
    await books.flush();
    expect(next.told).toHaveLength(1);
    expect(engines[1]?.told.at(-1)).toEqual({ [id]: 80 });
  });

  test('there is more from the next period on, and after a reset', async () => {
    await limit(100);
    engine().used(id, 130);
    await books.flush();
    expect(engine().told).toEqual([{ [id]: 130 }]);
    now = NOW + 86_400_000;
    await books.flush();
    expect(engine().told.at(-1)).toEqual({ [id]: 230 });
    engine().used(id, 230);
    await books.flush();
    await resetUsage(files, 'bob', now + 1);
    await books.refresh();
    expect(engine().told.at(-1)).toEqual({ [id]: 330 });
    expect(await counted()).toBe(230);
  });

  test('without a quota any more an engine is told of none', async () => {
    await limit(100);
    await books.flush();
    await setUser(files, 'bob', ({ limits }) => ({ limits: { ...limits, quota: null } }));
    await books.refresh();
    expect(engine().told.at(-1)).toEqual({});
  });
});

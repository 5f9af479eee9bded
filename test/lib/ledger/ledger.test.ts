import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../../src/lib/errors.ts';
import { checkLedger } from '../../../src/lib/ledger/check.ts';
import { MIGRATIONS } from '../../../src/lib/ledger/migrations.ts';
import { changeLedger, type Ledger, withLedger } from '../../../src/lib/ledger/open.ts';
import { SCHEMA } from '../../../src/lib/ledger/schema.ts';

let dir: string;
let file: string;

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-ledger-'));
  file = path.join(dir, 'ledger.db');
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const note = async (ledger: Ledger, key: string): Promise<void> =>
  void (await ledger.insertInto('meta').values({ key, value: 'x' }).execute());
const notes = async (): Promise<string[]> =>
  withLedger(file, async (ledger) => (await ledger.selectFrom('meta').select('key').execute()).map(({ key }) => key));
const check = async (): Promise<void> => withLedger(file, async (ledger) => checkLedger(ledger, file));

const ledgerModule = new URL('../../../src/lib/ledger/open.ts', import.meta.url).href;

/** A process that runs code with `withLedger` and `file` at hand. */
function child(code: string): ChildProcess {
  const script = `import { withLedger, changeLedger } from ${JSON.stringify(ledgerModule)};
    const file = ${JSON.stringify(file)};
    ${code}`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
}

describe('the ledger', () => {
  test('is made with its newest schema; the migrations end there', async () => {
    await withLedger(file, async (ledger) => note(ledger, 'a'));
    expect(await notes()).toEqual(['a']);
    expect(Object.keys(MIGRATIONS).at(-1)).toBe(SCHEMA);
    expect(await readdir(dir)).toEqual(['ledger.db']);
    await check();
  });

  test('waits for the disk, heeds references and logs ahead', async () => {
    const pragmas = await withLedger(file, async (ledger) => {
      const { sql } = await import('kysely');
      const one = async (name: string): Promise<unknown> =>
        Object.values((await sql.raw(`pragma ${name}`).execute(ledger)).rows[0] as object)[0];
      return [await one('journal_mode'), await one('synchronous'), await one('foreign_keys')];
    });
    expect(pragmas).toEqual(['wal', 2, 1]);
  });

  test('nothing of it can be read by others, whatever the mask', async () => {
    const open = child(`process.umask(0); await withLedger(file, async (ledger) => {
      await ledger.insertInto('meta').values({ key: 'a', value: 'x' }).execute();
      process.stdout.write('open'); await new Promise(() => setInterval(() => {}, 1000)); });`);
    await once(open.stdout as NodeJS.ReadableStream, 'data');
    const names = ['ledger.db', 'ledger.db-shm', 'ledger.db-wal'];
    expect((await readdir(dir)).sort()).toEqual(names);
    for (const name of names) expect((await stat(path.join(dir, name))).mode & 0o777, name).toBe(0o600);
    open.kill('SIGKILL');
    await once(open, 'exit');
    expect(await notes()).toEqual(['a']);
  });

  test.runIf(process.getuid?.() === 0)('belongs to the owner of its directory when root makes it', async () => {
    await chown(dir, 4242, 4343);
    const open = child(`await withLedger(file, async (ledger) => {
      await ledger.insertInto('meta').values({ key: 'a', value: 'x' }).execute();
      process.stdout.write('open'); await new Promise(() => setInterval(() => {}, 1000)); });`);
    await once(open.stdout as NodeJS.ReadableStream, 'data');
    for (const name of await readdir(dir)) {
      expect(await stat(path.join(dir, name)), name).toMatchObject({ uid: 4242, gid: 4343 });
    }
    open.kill('SIGKILL');
    await once(open, 'exit');
  });

  test('a change that fails leaves nothing', async () => {
    const change = withLedger(file, async (ledger) =>
      changeLedger(ledger, async (within) => {
        await note(within, 'a');
        throw new Error('no');
      }),
    );
    await expect(change).rejects.toThrow('no');
    expect(await notes()).toEqual([]);
  });

  test('changes of one process wait for each other, and hold up nothing else in it', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const change = async (key: string): Promise<void> =>
      withLedger(file, async (ledger) =>
        changeLedger(ledger, async (within) => {
          await note(within, key);
          await new Promise((resolve) => setTimeout(resolve, 30));
        }),
      );
    await Promise.all(['a', 'b', 'c'].map(change));
    clearInterval(timer);
    expect((await notes()).sort()).toEqual(['a', 'b', 'c', 'generation']);
    expect(ticks).toBeGreaterThan(3);
  });

  test('says nothing of SQLite being experimental', async () => {
    const { stderr } = await execa(process.execPath, [
      '--input-type=module',
      '-e',
      `import { withLedger } from ${JSON.stringify(ledgerModule)}; await withLedger(${JSON.stringify(file)}, async () => {});
       process.emitWarning('mine');`,
    ]);
    expect(stderr).not.toMatch(/SQLite|Experimental/);
    expect(stderr).toContain('mine');
  });
});

describe('a ledger that cannot be used is named, with what to do, and left as it is', () => {
  test('it is held by another process', async () => {
    await check();
    const holder = child(`await withLedger(file, (ledger) => changeLedger(ledger, async () => {
      process.stdout.write('held'); await new Promise(() => setInterval(() => {}, 1000)); }));`);
    await once(holder.stdout as NodeJS.ReadableStream, 'data');
    expect(await notes()).toEqual([]);
    const change = withLedger(file, async (ledger) => changeLedger(ledger, async (within) => note(within, 'a')));
    await expect(change).rejects.toMatchObject({ code: 'LEDGER_LOCKED', exit: EXIT.temporary });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await withLedger(file, async (ledger) => note(ledger, 'b'));
    expect(await notes()).toEqual(['b']);
  });

  test.each([
    ['text', Buffer.from('this is not a database, but it is long enough to look at'.repeat(20))],
    ['half of a file', null],
    ['noise in its pages', undefined],
  ])('it is damaged: %s', async (_, content) => {
    await withLedger(file, async (ledger) => {
      for (let at = 0; at < 300; at++) await note(ledger, `${at}`.padStart(200, '-'));
    });
    const whole = await readFile(file);
    const damaged = content ?? (content === null ? whole.subarray(0, whole.length / 2) : Buffer.from(whole));
    if (content === undefined) damaged.fill(0xa5, 4096 + 8, damaged.length - 4096);
    await writeFile(file, damaged);
    await expect(check()).rejects.toMatchObject({
      code: 'LEDGER_DAMAGED',
      exit: EXIT.precondition,
      message: expect.stringContaining(file) as string,
      hint: expect.stringContaining('docs/users.md') as string,
    });
    expect((await readFile(file)).equals(damaged)).toBe(true);
  });

  test('its rows refer to nothing', async () => {
    await check();
    const raw = new DatabaseSync(file);
    raw.exec("PRAGMA foreign_keys = OFF; INSERT INTO user_tags VALUES ('nobody', 'x')");
    raw.close();
    await expect(check()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' });
  });

  test('its schema is newer than this version of mtp', async () => {
    await check();
    const raw = new DatabaseSync(file);
    raw.exec("INSERT INTO kysely_migration VALUES ('999-future', '2030-01-01')");
    raw.close();
    const before = await readFile(file);
    await expect(check()).rejects.toMatchObject({
      code: 'LEDGER_NEWER',
      message: expect.stringContaining('999-future') as string,
    });
    expect((await readFile(file)).equals(before)).toBe(true);
  });

  test('its directory cannot be made', async () => {
    await writeFile(path.join(dir, 'file'), '');
    await expect(withLedger(path.join(dir, 'file', 'x.db'), async () => undefined)).rejects.toMatchObject({
      exit: EXIT.precondition,
    });
  });

  test('it is a directory', async () => {
    await mkdir(file);
    await expect(check()).rejects.toMatchObject({ code: 'LEDGER_UNREADABLE', exit: EXIT.precondition });
  });

  test.runIf(process.getuid?.() === 0)('it may not be read, or only be read', async () => {
    await check();
    await chmod(dir, 0o755);
    const asNobody = async (): Promise<string> => {
      const { stdout } = await execa(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `process.setgid(65534); process.setuid(65534);
           const { withLedger, changeLedger } = await import(${JSON.stringify(ledgerModule)});
           await withLedger(${JSON.stringify(file)}, (ledger) => changeLedger(ledger, async (change) => {
             await change.insertInto('meta').values({ key: 'n', value: 'x' }).execute();
           })).then(() => console.log('kept'), (error) => console.log(error.code, error.exit));`,
        ],
        { reject: false },
      );
      return stdout;
    };
    expect(await asNobody()).toBe(`LEDGER_UNREADABLE ${EXIT.precondition}`);
    await chmod(file, 0o644);
    expect(await asNobody()).toMatch(/^LEDGER_(READONLY|UNREADABLE) 5$/);
    expect(await notes()).toEqual([]);
  });
});

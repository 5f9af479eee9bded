import { chmod, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import UserAdd from '../../../src/commands/user/add.ts';
import UserDisable from '../../../src/commands/user/disable.ts';
import UserEnable from '../../../src/commands/user/enable.ts';
import UserExport from '../../../src/commands/user/export.ts';
import UserImport from '../../../src/commands/user/import.ts';
import UserList from '../../../src/commands/user/list.ts';
import UserRemove from '../../../src/commands/user/remove.ts';
import UserRename from '../../../src/commands/user/rename.ts';
import UserSet from '../../../src/commands/user/set.ts';
import UserShow from '../../../src/commands/user/show.ts';
import { EXIT } from '../../../src/lib/errors.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { loadUser, loadUsers } from '../../../src/lib/users/load.ts';
import { pathsIn } from '../../support/files.ts';
import { run } from '../../support/run-command.ts';

const BIN = new URL('../../../bin/run.js', import.meta.url).pathname;

let home: string;
let files: Paths;

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-user-'));
  files = pathsIn(home);
});

afterEach(async () => {
  process.exitCode = undefined;
  await rm(home, { recursive: true, force: true });
});

const at = (...argv: string[]): string[] => [...argv, '--home', home];
const names = async (): Promise<string[]> => (await loadUsers(files)).users.map(({ name }) => name);

describe('user add, set, show and list', () => {
  test('limits are kept and shown in the words that they are given in; no secret is', async () => {
    const limits = ['--devices', '3', '--max-networks', '2', '--quota', '50GB/month', '--quota-from', '2027-01-01'];
    const rest = ['--speed', '20Mbit', '--up', '500kbit', '--expires', '2190-01-31', '--tag', 'b', '--tag', 'a'];
    const added = await run(UserAdd, at('bob', ...limits, ...rest, '--note', 'met in May'));
    expect(added.stdout).toContain('Added bob. No proxy is running here; bob can connect once it is started.');
    const shown = await run(UserShow, at('BOB'));
    for (const line of [
      /^State +enabled$/m,
      /^Expires +2190-01-31 00:00 UTC$/m,
      /^Devices +3 at once \(24 connections\)$/m,
      /^Networks +2 at once$/m,
      /^Quota +50\.0 GB a month from 2027-01-01$/m,
      /^Speed +up 500kbit\/s, down 20Mbit\/s$/m,
      /^Tags +a b$/m,
      /^Note +met in May$/m,
      /^Last seen +never$/m,
      /^Secret +[0-9a-f]{16}, active, of \d{4}-\d\d-\d\d$/m,
    ])
      expect(shown.stdout).toMatch(line);
    const listed = await run(UserList, at());
    expect(listed.stdout).toMatch(/^bob +enabled +3 +2 +0 B +50GB\/month +2190-01-31 +- +a b$/m);
    const { user } = await loadUser(files, 'bob');
    expect(JSON.stringify([added, shown, listed])).not.toContain(user.secrets[0]?.key);
  });

  test('set names what changed, keeps the rest, and a second time changes nothing', async () => {
    await run(UserAdd, at('bob', '--devices', '3', '--max-networks', '2'));
    const set = await run<{ changes: string[] }>(
      UserSet,
      at('bob', '--max-networks', 'none', '--expires', '2190-01-01'),
    );
    expect(set.result?.changes).toEqual(['Expires: never -> 2190-01-01 00:00 UTC', 'Networks: 2 at once -> no limit']);
    const again = await run<{ changes: string[] }>(UserSet, at('bob', '--max-networks', 'none'));
    expect(again).toMatchObject({ stdout: 'Nothing to change for bob.\n', result: { changes: [] } });
    expect((await loadUser(files, 'bob')).user.limits).toMatchObject({ connections: 24, networks: null });
  });

  test('0 is 0, and said so', async () => {
    const { stderr } = await run(UserAdd, at('bob', '--max-networks', '0'));
    expect(stderr).toContain('bob may use no network; the proxy does not let bob in.');
    expect((await run(UserList, at())).stdout).toMatch(/^bob +kept out +- +0 /m);
    expect((await run(UserSet, at('bob', '--max-networks', 'none'))).stderr).toBe('');
  });

  test.each([
    [['a b'], 'NAME_INVALID'],
    [['../x'], 'NAME_INVALID'],
    [['🙂'], 'NAME_INVALID'],
    [['bob', '--devices', 'many'], 'USAGE'],
    [['bob', '--tag', 'a b'], 'TAG_INVALID'],
    [['bob', '--note', 'a\nb'], 'NOTE_INVALID'],
  ])('add %j is refused and leaves nothing', async (argv, code) => {
    expect((await run(UserAdd, at(...argv))).error).toMatchObject({ code, exit: EXIT.usage });
    expect(await readdir(home)).toEqual([]);
  });

  test('set without a wish, and of nobody, are refused', async () => {
    await run(UserAdd, at('bob'));
    expect((await run(UserSet, at('bob'))).error).toMatchObject({ code: 'USAGE', exit: EXIT.usage });
    const { error } = await run(UserSet, at('eve', '--devices', '1'));
    expect(error).toMatchObject({ code: 'USER_UNKNOWN', hint: expect.stringContaining('bob') as string });
    expect((await run(UserAdd, at('BOB'))).error).toMatchObject({ code: 'USER_EXISTS' });
  });

  test('a list is chosen by tags and ordered', async () => {
    await run(UserAdd, at('cid', '--tag', 'x', '--tag', 'y', '--expires', '2190-01-02'));
    await run(UserAdd, at('Bob', '--tag', 'x'));
    await run(UserAdd, at('ann', '--tag', 'x', '--tag', 'y', '--expires', '2190-01-01'));
    const listed = async (...argv: string[]): Promise<unknown> =>
      (await run<{ users: { name: string }[] }>(UserList, at(...argv))).result?.users.map(({ name }) => name);
    expect(await listed()).toEqual(['cid', 'Bob', 'ann']);
    expect(await listed('--sort', 'name')).toEqual(['ann', 'Bob', 'cid']);
    expect(await listed('--sort', 'expires')).toEqual(['ann', 'cid', 'Bob']);
    expect(await listed('--tag', 'x', '--tag', 'y')).toEqual(['cid', 'ann']);
    expect((await run(UserList, at('--tag', 'z'))).stdout).toBe('None of 3 users has these tags.\n');
  });
});

describe('user disable, enable, rename and remove', () => {
  test('a user who is disabled keeps everything', async () => {
    await run(UserAdd, at('bob', '--devices', '3'));
    const { user } = await loadUser(files, 'bob');
    expect((await run(UserDisable, at('bob'))).stdout).toContain('State: enabled -> disabled\n');
    expect((await loadUser(files, 'bob')).user).toEqual({ ...user, enabled: false });
    expect((await run(UserDisable, at('bob'))).stdout).toBe('Nothing to change for bob.\n');
    expect((await run(UserEnable, at('bob'))).stdout).toContain('State: disabled -> enabled\n');
    expect((await loadUser(files, 'bob')).user).toEqual(user);
  });

  test('who is enabled after their end is warned of', async () => {
    await run(UserAdd, at('bob', '--expires', '2020-01-01'));
    await run(UserDisable, at('bob'));
    expect((await run(UserEnable, at('bob'))).stderr).toContain('bob expired on 2020-01-01');
  });

  test('a new name keeps id and secret; one that is taken is refused', async () => {
    await run(UserAdd, at('bob'));
    await run(UserAdd, at('eve'));
    const { user } = await loadUser(files, 'bob');
    expect((await run(UserRename, at('bob', 'robert'))).stdout).toContain('Name: bob -> robert\n');
    expect((await loadUser(files, 'robert')).user).toEqual({ ...user, name: 'robert' });
    expect((await run(UserRename, at('robert', 'EVE'))).error).toMatchObject({ code: 'USER_EXISTS' });
    expect((await run(UserRename, at('robert', 'a/b'))).error).toMatchObject({ code: 'NAME_INVALID' });
    expect(await names()).toEqual(['robert', 'eve']);
  });

  test('removing needs an answer', async () => {
    await run(UserAdd, at('bob'));
    expect((await run(UserRemove, at('bob'))).error).toMatchObject({ code: 'NEEDS_ANSWER', exit: EXIT.usage });
    expect(await names()).toEqual(['bob']);
    expect((await run(UserRemove, at('bob', '--yes'))).stdout).toContain('Removed bob.');
    expect(await names()).toEqual([]);
    expect((await run(UserRemove, at('bob', '--yes'))).error).toMatchObject({ code: 'USER_UNKNOWN' });
  });
});

describe('user import and export', () => {
  const write = async (text: string): Promise<string> => {
    const file = path.join(home, 'users.csv');
    await writeFile(file, text, { mode: 0o600 });
    return file;
  };

  test('a bad line is named and keeps all out; with --partial the rest comes in, with status 2', async () => {
    const file = await write('name,devices\nbob,1\neve,x\n');
    const refused = await run(UserImport, at(file));
    expect(refused.stderr).toContain(`${file}:3: devices cannot be "x"\n`);
    expect(refused.error).toMatchObject({ code: 'IMPORT_REFUSED', exit: EXIT.precondition });
    expect(await names()).toEqual([]);
    const partial = await run(UserImport, at(file, '--partial'));
    expect(partial.stdout).toContain('Imported 1 user. No proxy is running here');
    expect(process.exitCode).toBe(EXIT.warnings);
    expect(await names()).toEqual(['bob']);
  });

  test('a dry run changes nothing', async () => {
    const file = await write('name\nbob\neve\n');
    const { stdout } = await run(UserImport, at(file, '--dry-run'));
    expect(stdout).toBe('Dry run: 2 users would be imported; nothing was changed.\n');
    expect(await readdir(home)).toEqual(['users.csv']);
  });

  test('standard input and output will do, and --json names every fault', async () => {
    const cli = (argv: string[], input: string) =>
      execa(process.execPath, [BIN, ...at(...argv)], { input, reject: false });
    expect(await cli(['user', 'import', '-'], 'name,tags\nbob,x\n')).toMatchObject({ exitCode: EXIT.ok });
    const exported = await cli(['user', 'export'], '');
    expect(exported.stdout.split('\n')).toEqual([
      'name,devices,max_networks,quota,quota_from,up,down,expires,tags,note,enabled',
      'bob,,,,,,,,x,,yes',
    ]);
    const again = await cli(['user', 'import', '-', '--json'], `${exported.stdout}\n`);
    expect(again.exitCode).toBe(EXIT.precondition);
    expect(JSON.parse(again.stdout)).toMatchObject({
      source: 'standard input',
      imported: 0,
      refused: true,
      faults: [{ line: 2, fault: 'there is already a user named bob' }],
    });
  });

  test('secrets go into a file only', async () => {
    await run(UserAdd, at('bob'));
    expect((await run(UserExport, at('--with-secrets'))).error).toMatchObject({ exit: EXIT.usage });
    const file = path.join(home, 'out.csv');
    const { stdout } = await run(UserExport, at(file, '--with-secrets'));
    expect(stdout).toBe(`Wrote 1 user to ${file}, which only its owner can read.\n`);
    const { user } = await loadUser(files, 'bob');
    expect(await readFile(file, 'utf8')).toContain(`bob,${user.secrets[0]?.key},`);
    expect((await run(UserExport, at(file))).error).toMatchObject({ code: 'FILE_EEXIST', exit: EXIT.precondition });
  });
});

describe('faults', () => {
  test('without the keyring nothing is added, and the way back is told; limits can still be read', async () => {
    await run(UserAdd, at('bob'));
    await rename(files.keyringFile, `${files.keyringFile}.away`);
    const { error } = await run(UserAdd, at('eve'));
    expect(error).toMatchObject({
      code: 'KEYRING_MISSING',
      exit: EXIT.precondition,
      hint: expect.stringContaining('docs/keyring.md') as string,
    });
    expect((await run(UserShow, at('bob'))).stdout).toMatch(/^Name +bob$/m);
    await rename(`${files.keyringFile}.away`, files.keyringFile);
    expect((await run(UserAdd, at('eve'))).error).toBeUndefined();
    expect(await names()).toEqual(['bob', 'eve']);
  });

  test('a damaged ledger is named and left as it is', async () => {
    await run(UserAdd, at('bob'));
    const noise = Buffer.alloc(40_000, 0x5a);
    await writeFile(files.ledgerFile, noise);
    for (const command of [UserList, UserExport]) {
      expect((await run(command, at())).error).toMatchObject({ code: 'LEDGER_DAMAGED', exit: EXIT.precondition });
    }
    expect((await readFile(files.ledgerFile)).equals(noise)).toBe(true);
  });

  test('of two at once that add the same name one wins, and the other is told', async () => {
    const adding = Array.from({ length: 2 }, async () =>
      execa(process.execPath, [BIN, ...at('user', 'add', 'bob')], { reject: false }),
    );
    const done = await Promise.all(adding);
    expect(done.map(({ exitCode }) => exitCode).sort()).toEqual([EXIT.ok, EXIT.failed]);
    expect(done.map(({ stderr }) => stderr).join('')).toContain('there is already a user named bob');
    expect(await names()).toEqual(['bob']);
  });

  test.runIf(process.getuid?.() === 0)('somebody else may change nothing, in one line', async () => {
    await run(UserAdd, at('bob'));
    await chmod(home, 0o755);
    const { exitCode, stderr } = await execa(process.execPath, [BIN, ...at('user', 'add', 'eve')], {
      uid: 65534,
      gid: 65534,
      env: { HOME: home },
      reject: false,
    });
    expect(exitCode).toBe(EXIT.precondition);
    expect(stderr).toMatch(/^error: .*ledger\.db/);
    expect(await names()).toEqual(['bob']);
  });
});

describe('with a running proxy', () => {
  let server: Server;
  let reply: object;
  const refused = {
    revision: 'abcdef0123456789',
    changed: true,
    restartNeeded: [],
    proofs: [{ name: 'bob', ok: true, detail: 'the secret is refused' }],
    untried: 0,
    connections: null,
  };

  beforeEach(async () => {
    reply = refused;
    server = createServer((_, response) => response.end(JSON.stringify(reply)));
    await new Promise<void>((resolve) => server.listen(path.join(home, 'control.sock'), resolve));
  });

  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
  });

  test('those of whom the same was seen are named together, some where they are many', async () => {
    const proofs = Array.from({ length: 7 }, (_, number) => ({ name: `u${number}`, ok: true, detail: 'accepted' }));
    reply = {
      ...refused,
      proofs: [...proofs, { name: 'v', ok: true, detail: 'refused' }],
      untried: 9,
      connections: null,
    };
    expect((await run(UserAdd, at('bob'))).stdout).toContain(
      'The running proxy shows it: u0, u1, u2, u3, u4 and 2 more: accepted; v: refused. 9 more that changed were not tried.',
    );
  });

  test('a change says what the proxy proved, and so does one that was made before', async () => {
    await run(UserAdd, at('bob'));
    const shown = 'The running proxy shows it: bob: the secret is refused.';
    expect((await run(UserDisable, at('bob'))).stdout).toContain(`Changed bob. ${shown}`);
    expect((await run(UserDisable, at('bob'))).stdout).toBe(`Nothing to change for bob. ${shown}\n`);
  });
});

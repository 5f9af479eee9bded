import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import Link from '../../src/commands/link.ts';
import { EXIT } from '../../src/lib/errors.ts';
import { parseLink } from '../../src/lib/link/link.ts';
import type { Paths } from '../../src/lib/system/paths.ts';
import { removeSecret } from '../../src/lib/users/secrets.ts';
import { addUser, setUser } from '../../src/lib/users/store.ts';
import { pathsIn } from '../support/files.ts';
import { run } from '../support/run-command.ts';

let home: string;
let files: Paths;

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-link-'));
  files = pathsIn(home);
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

const at = (...argv: string[]): string[] => [...argv, '--offline', '--home', home];

describe('link', () => {
  test('without users it says what to do', async () => {
    expect((await run(Link, at())).error).toMatchObject({
      exit: EXIT.precondition,
      hint: expect.stringContaining('mtp run') as string,
    });
  });

  test('prints the links of the first user with server and port of the configuration, and a QR code when asked for', async () => {
    await writeFile(path.join(home, 'config.toml'), '[link]\nserver = "proxy.example.com"\nport = 8443\n');
    await addUser(files, { name: 'bob' });
    await addUser(files, { name: 'eve' });
    const { stdout, stderr } = await run(Link, at('--qr'));
    const [tg = '', https = '', ...qr] = stdout.trimEnd().split('\n');
    expect(parseLink(tg)).toEqual(parseLink(https));
    expect(parseLink(tg)).toMatchObject({ server: 'proxy.example.com', port: 8443, secret: { mode: 'ee' } });
    expect(qr.length).toBeGreaterThan(20);
    expect(stderr).toBe('');
    expect((await run(Link, at('eve'))).stdout.trimEnd().split('\n')).toHaveLength(2);
  });

  test('names the mode that is hardest to recognise among those that are on', async () => {
    await writeFile(path.join(home, 'config.toml'), '[protocol]\nmodes = ["plain", "dd"]\n');
    await addUser(files, { name: 'bob' });
    expect((await run<{ mode: string }>(Link, at('--no-qr'))).result?.mode).toBe('dd');
  });

  test('writes the files that are asked for, only for the owner, and replaces none unasked', async () => {
    await addUser(files, { name: 'bob' });
    const [png, sheet] = [path.join(home, 'bob.PNG'), path.join(home, 'bob.html')];
    const written = await run<{ files: string[]; tg: string }>(Link, at('bob', '--out', png, '--sheet', sheet));
    expect(written.result?.files).toEqual([png, sheet]);
    expect(written.stdout).toContain(`Wrote ${sheet}`);
    for (const file of [png, sheet]) expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await run(Link, at('bob', '--sheet', sheet))).error).toBeUndefined();
    await writeFile(sheet, 'mine');
    expect((await run(Link, at('bob', '--sheet', sheet))).error).toMatchObject({ code: 'FILE_EXISTS', exit: 5 });
    expect(await readFile(sheet, 'utf8')).toBe('mine');
    await run(Link, at('bob', '--sheet', sheet, '--force'));
    expect(await readFile(sheet, 'utf8')).toContain('Telegram proxy for bob');
  });

  test.each([
    ['--out', 'bob.jpg', 'neither an .svg nor a .png'],
    ['--sheet', 'bob.pdf', 'no .html file'],
    ['--server', 'a b', 'neither a host name nor an address'],
  ])('%s %s is refused with status 64, and nothing is written', async (flag, value, words) => {
    await addUser(files, { name: 'bob' });
    const { error } = await run(Link, at('bob', flag, flag === '--server' ? value : path.join(home, value)));
    expect(error).toMatchObject({ exit: EXIT.usage, message: expect.stringContaining(words) as string });
    expect((await readdir(home)).filter((name) => name.startsWith('bob'))).toEqual([]);
  });

  test('a server that is named goes into the link, this time only', async () => {
    await addUser(files, { name: 'bob' });
    expect((await run(Link, at('bob', '--server', 'proxy.example.com'))).stdout).toContain('server=proxy.example.com');
    expect((await run(Link, at('bob'))).stdout).not.toContain('proxy.example.com');
  });

  test('a disabled user is said to be disabled', async () => {
    await addUser(files, { name: 'bob' });
    await setUser(files, 'bob', () => ({ enabled: false }));
    expect((await run(Link, at('bob', '--no-qr'))).stderr).toContain('bob is disabled');
  });

  test('an expired user and one without a secret are said to be that', async () => {
    await addUser(files, { name: 'bob', expiresAt: Date.parse('2026-01-31T12:00:00Z') });
    expect((await run(Link, at('bob', '--no-qr'))).stderr).toContain('bob expired on 2026-01-31');
    await removeSecret(files, { name: 'bob' });
    expect((await run(Link, at('bob', '--no-qr'))).error).toMatchObject({
      code: 'NO_SECRET',
      exit: EXIT.precondition,
      hint: expect.stringContaining('mtp secret add bob') as string,
    });
  });
});

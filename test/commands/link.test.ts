import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import Link from '../../src/commands/link.ts';
import { EXIT } from '../../src/lib/errors.ts';
import { parseLink } from '../../src/lib/link/link.ts';
import { addUser } from '../../src/lib/users/store.ts';
import { run } from './secret/run.ts';

let home: string;
let usersFile: string;

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-link-'));
  usersFile = path.join(home, 'users.json');
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

const at = (...argv: string[]): string[] => [...argv, '--home', home];

describe('link', () => {
  test('without users it says what to do', async () => {
    expect((await run(Link, at())).error).toMatchObject({
      exit: EXIT.precondition,
      hint: expect.stringContaining('mtp run') as string,
    });
  });

  test('prints the links of the first user with server and port of the configuration, and a QR code when asked for', async () => {
    await writeFile(path.join(home, 'config.toml'), '[link]\nserver = "proxy.example.com"\nport = 8443\n');
    await addUser({ usersFile }, { name: 'bob' });
    await addUser({ usersFile }, { name: 'eve' });
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
    await addUser({ usersFile }, { name: 'bob' });
    expect((await run<{ mode: string }>(Link, at('--no-qr'))).result?.mode).toBe('dd');
  });

  test('a disabled user is said to be disabled', async () => {
    await addUser({ usersFile }, { name: 'bob' });
    await writeFile(usersFile, (await readFile(usersFile, 'utf8')).replace('"enabled": true', '"enabled": false'));
    expect((await run(Link, at('bob', '--no-qr'))).stderr).toContain('bob is disabled');
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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

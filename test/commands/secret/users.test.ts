import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import SecretAdd from '../../../src/commands/secret/add.ts';
import SecretList from '../../../src/commands/secret/list.ts';
import SecretRemove from '../../../src/commands/secret/remove.ts';
import SecretShow from '../../../src/commands/secret/show.ts';
import { EXIT } from '../../../src/lib/errors.ts';
import { parseLink } from '../../../src/lib/link/link.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { loadUsers } from '../../../src/lib/users/load.ts';
import type { User } from '../../../src/lib/users/user.ts';
import { pathsIn } from '../../support/files.ts';
import { run } from '../../support/run-command.ts';

let home: string;
let files: Paths;

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-secret-'));
  files = pathsIn(home);
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

const users = async (): Promise<User[]> => (await loadUsers(files)).users;
const at = (...argv: string[]): string[] => [...argv, '--home', home];

describe('secret add, list, show and remove', () => {
  test('a user that was added is listed without and shown with the secret', async () => {
    const added = await run(SecretAdd, at('bob'));
    expect(added.stdout).toContain('Added bob. No proxy is running here; bob can connect once it is started.');
    const [bob] = await users();
    const key = bob?.secrets[0]?.key ?? 'missing';
    const listed = await run(SecretList, at());
    expect(listed.stdout).toMatch(/^bob\s+[0-9a-f]{16}\s+active\s+\d{4}-\d\d-\d\d\s+yes$/m);
    expect(JSON.stringify([added, listed])).not.toContain(key);
    const shown = await run<{ links: { mode: string; tg: string }[] }>(SecretShow, at('BOB', '--reveal'));
    expect(shown.result?.links.map(({ mode }) => mode)).toEqual(['ee']);
    expect(parseLink(shown.result?.links[0]?.tg ?? '').secret.key.toString('hex')).toBe(key);
    expect(shown.stdout).toContain('@MTProxybot');
    for (const hidden of [await run(SecretShow, at('bob')), await run(SecretShow, at('bob', '--json'))]) {
      expect(hidden.error).toBeUndefined();
      expect(hidden.stdout).toContain(bob?.secrets[0]?.id);
      expect(JSON.stringify(hidden)).not.toContain(key);
    }
  });

  test('a given secret is kept, whatever its form', async () => {
    const file = path.join(home, 'old.txt');
    await writeFile(file, '7jrK0EnCZ1gq6hVxCeqTV5BleGFtcGxlLmNvbQ\n');
    await run(SecretAdd, at('bob', '--secret-file', file));
    expect((await users())[0]?.secrets[0]?.key).toBe('3acad049c267582aea157109ea935790');
  });

  test('a weak secret is refused unless the operator insists, and in production always', async () => {
    const file = path.join(home, 'old.txt');
    await writeFile(file, '00112233445566778899aabbccddeeff');
    expect((await run(SecretAdd, at('bob', '--secret-file', file))).error).toMatchObject({
      code: 'SECRET_WEAK',
      exit: EXIT.usage,
    });
    expect(await users()).toEqual([]);
    const insist = async () => (await run(SecretAdd, at('bob', '--secret-file', file, '--allow-weak'))).error;
    expect(await insist()).toMatchObject({ code: 'PRODUCTION', exit: EXIT.precondition });
    expect(await users()).toEqual([]);
    vi.stubEnv('MTP_DEPLOYMENT_ENV', 'staging');
    expect(await insist()).toBeUndefined();
    vi.unstubAllEnvs();
  });

  test('removing without a terminal needs --yes', async () => {
    await run(SecretAdd, at('bob'));
    expect((await run(SecretRemove, at('bob'))).error).toMatchObject({
      exit: EXIT.usage,
      hint: expect.stringContaining('--yes') as string,
    });
    const [bob] = await users();
    const removed = await run(SecretRemove, at('bob', '--yes'));
    expect(removed.stdout).toContain(`Removed the secret ${bob?.secrets[0]?.id} of bob, who has 0 left.`);
    expect(await users()).toEqual([{ ...bob, secrets: [] }]);
  });

  test('somebody who is there gets another secret, and links have the newest', async () => {
    await run(SecretAdd, at('bob'));
    const again = await run<{ secretId: string }>(SecretAdd, at('bob'));
    expect(again.stdout).toContain('Added a secret for bob, who has 2 now.');
    const shown = await run<{ id: string }>(SecretShow, at('bob'));
    expect(shown.result?.id).toBe(again.result?.secretId);
    const [bob] = await users();
    const old = bob?.secrets[0];
    expect((await run<{ key: string }>(SecretShow, at('bob', '--reveal', '--id', old?.id ?? ''))).result?.key).toBe(
      old?.key,
    );
    expect((await run(SecretRemove, at('bob', '--yes'))).error).toMatchObject({ code: 'SECRET_UNCLEAR' });
  });

  test('a home that is a file is refused in one line', async () => {
    const { error } = await run(SecretAdd, ['bob', '--home', path.join(process.execPath)]);
    expect(error).toMatchObject({ code: 'FILE_EEXIST', exit: EXIT.precondition });
  });
});

describe('with a running proxy', () => {
  let server: Server;
  let answer: unknown;

  beforeEach(async () => {
    server = createServer((_, response) => response.end(JSON.stringify(answer)));
    await new Promise<void>((resolve) => server.listen(path.join(home, 'control.sock'), resolve));
  });

  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
  });

  const reload = (ok: boolean): unknown => ({
    revision: 'abcdef0123456789',
    changed: true,
    restartNeeded: [],
    proofs: [{ name: 'bob', ok, detail: ok ? 'the secret is accepted' : 'the secret is not accepted' }],
    untried: 0,
    connections: null,
  });

  test('adding reports what the proxy proved', async () => {
    answer = reload(true);
    expect((await run(SecretAdd, at('bob'))).stdout).toContain(
      'The running proxy shows it: bob: the secret is accepted.',
    );
  });

  test('a proof that failed is a failure, and the user is kept', async () => {
    answer = reload(false);
    const { error, stdout } = await run(SecretAdd, at('bob'));
    expect(error).toMatchObject({
      code: 'NOT_PROVED',
      exit: EXIT.failed,
      message: expect.stringContaining('not accepted') as string,
    });
    expect(stdout).toBe('');
    expect(await users()).toHaveLength(1);
  });

  test('an answer of another program is no proof', async () => {
    answer = { hello: 'world' };
    expect((await run(SecretAdd, at('bob'))).error?.message).toMatch(
      /^bob is added, but the running proxy was not told/,
    );
  });
});

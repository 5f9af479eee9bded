import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import VaultOpen from '../../../src/commands/vault/open.ts';
import VaultSeal from '../../../src/commands/vault/seal.ts';
import { run } from '../../support/run-command.ts';

let dir: string;
const at = (name: string): string => path.join(dir, name);

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-vault-'));
  await writeFile(at('plain'), 'what is in it');
  await writeFile(at('phrase'), 'six random words are better\nno part of it\n');
});
afterEach(async () => rm(dir, { recursive: true, force: true }));

const phrase = (): string[] => ['--passphrase-file', at('phrase')];
const cheap = ['--kdf-cost', '15'];

test('what was sealed is opened again, and what was done is told', async () => {
  const sealed = await run(VaultSeal, [
    at('plain'),
    ...phrase(),
    ...cheap,
    '--aad',
    'host=a',
    '--algorithm',
    'aes-128-gcm',
  ]);
  expect(sealed.stdout).toContain(`Sealed ${at('plain')} into ${at('plain.sealed')} with aes-128-gcm`);
  const opened = await run(VaultOpen, [at('plain.sealed'), ...phrase(), '--out', at('again'), '--aad', 'host=a']);
  expect(opened.stdout).toContain('all of it as it was sealed.\nhost=a');
  expect(await readFile(at('again'), 'utf8')).toBe('what is in it');
  expect((await run(VaultSeal, [at('plain'), ...phrase(), ...cheap])).error).toMatchObject({ code: 'FILE_EXISTS' });
  expect((await run(VaultSeal, [at('plain'), ...phrase(), ...cheap, '--force'])).error).toBeUndefined();
});

test('a passphrase that is too short, one that cannot be asked for, and a wrong label are refused', async () => {
  await writeFile(at('phrase'), 'short\n');
  expect((await run(VaultSeal, [at('plain'), ...phrase()])).error).toMatchObject({ code: 'PASSPHRASE', exit: 64 });
  expect((await run(VaultSeal, [at('plain')])).error).toMatchObject({ code: 'NEEDS_ANSWER', exit: 64 });
  expect((await run(VaultSeal, [at('plain'), '--aad', 'x'])).error).toMatchObject({ code: 'LABEL_INVALID', exit: 64 });
});

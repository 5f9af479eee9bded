import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import KeysRotate from '../../../src/commands/keys/rotate.ts';
import VaultCalibrate from '../../../src/commands/vault/calibrate.ts';
import VaultOpen from '../../../src/commands/vault/open.ts';
import VaultReseal from '../../../src/commands/vault/reseal.ts';
import VaultSeal from '../../../src/commands/vault/seal.ts';
import { run } from '../../support/run-command.ts';

let dir: string;
const at = (name: string): string => path.join(dir, name);

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-vault-'));
  vi.stubEnv('MTP_HOME', path.join(dir, 'home'));
  await writeFile(at('plain'), 'what is in it');
  await writeFile(at('phrase'), 'six random words are better\nno part of it\n');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true, force: true });
});

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
    'chacha20-poly1305',
  ]);
  expect(sealed.stdout).toContain(`Sealed ${at('plain')} into ${at('plain.sealed')} with chacha20-poly1305`);
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

test('a file of before opens after the default has changed, and is sealed anew with the new one', async () => {
  await run(VaultSeal, [at('plain'), ...phrase(), ...cheap]);
  vi.stubEnv('MTP_CRYPTO_ALGORITHM', 'xchacha20-poly1305');
  const open = async () =>
    (await run(VaultOpen, [at('plain.sealed'), ...phrase(), '--out', at('again'), '--force'])).result;
  expect(await open()).toMatchObject({ algorithm: 'aes-256-gcm' });
  const { stdout } = await run(VaultReseal, [at('plain.sealed'), ...phrase(), ...cheap]);
  expect(stdout).toContain('anew with xchacha20-poly1305 at cost 15');
  expect(stdout).toContain('it had aes-256-gcm at 15');
  expect(await open()).toMatchObject({ algorithm: 'xchacha20-poly1305' });
  expect(await readFile(at('again'), 'utf8')).toBe('what is in it');
});

describe('the policy on keys', () => {
  const seal = async () =>
    run(VaultSeal, [at('plain'), ...phrase(), ...cheap, '--force', '--algorithm', 'aes-128-gcm']);

  test('permits a key of 128 bits only where it says so; what has one opens all the same', async () => {
    expect((await seal()).error).toMatchObject({ code: 'ALGORITHM_REFUSED', exit: 5 });
    expect((await run(KeysRotate, ['--algorithm', 'aes-128-gcm'])).error).toMatchObject({ code: 'ALGORITHM_REFUSED' });
    vi.stubEnv('MTP_CRYPTO_LEAST_KEY_BITS', '128');
    expect((await seal()).error).toBeUndefined();
    vi.stubEnv('MTP_CRYPTO_LEAST_KEY_BITS', '256');
    expect((await run(VaultOpen, [at('plain.sealed'), ...phrase(), '--out', at('again')])).error).toBeUndefined();
    expect((await run(VaultReseal, [at('plain.sealed'), ...phrase(), ...cheap])).result).toMatchObject({
      before: 'aes-128-gcm',
      algorithm: 'aes-256-gcm',
    });
  });

  test('does not let the default fall below it', async () => {
    vi.stubEnv('MTP_CRYPTO_ALGORITHM', 'aes-128-gcm');
    const { error } = await run(VaultSeal, [at('plain'), ...phrase(), ...cheap]);
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(error?.message).toContain('MTP_CRYPTO_ALGORITHM');
  });
});

test('the cost of a passphrase is measured, and the suggested one is taken', async () => {
  const { result, stdout } = await run(VaultCalibrate, ['--ms', '60000', '--memory', '64']);
  expect(result).toMatchObject({ suggested: { cost: 16, N: 65_536, r: 8, p: 1 }, fits: true });
  expect(stdout).toContain('config set crypto.kdf_cost 16');
  vi.stubEnv('MTP_CRYPTO_KDF_COST', '16');
  await run(VaultSeal, [at('plain'), ...phrase()]);
  expect((await readFile(at('plain.sealed')))[7]).toBe(16);
  expect((await run(VaultCalibrate, ['--ms', '1', '--memory', '64'])).result).toMatchObject({
    suggested: { cost: 15 },
    fits: false,
  });
});

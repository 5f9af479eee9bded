import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import SecretGenerate from '../../../src/commands/secret/generate.ts';
import { EXIT } from '../../../src/lib/errors.ts';
import { parseLink } from '../../../src/lib/link/link.ts';
import { parseSecret } from '../../../src/lib/secret/secret.ts';
import { run } from '../../support/run-command.ts';

let home: string;

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-generate-'));
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

const generate = (...argv: string[]): ReturnType<typeof run<Record<string, unknown>>> =>
  run(SecretGenerate, [...argv, '--home', home]);

describe('secret generate', () => {
  test.each([
    [['--domain', 'site.example'], { mode: 'ee', domain: 'site.example' }],
    [[], { mode: 'ee', domain: 'www.apple.com' }],
    [['--mode', 'dd'], { mode: 'dd' }],
    [['--mode', 'plain'], { mode: 'plain' }],
  ])('%j prints one secret of that kind and writes nothing', async (argv, expected) => {
    const { stdout, result } = await generate(...argv);
    expect(parseSecret(stdout)).toMatchObject(expected);
    expect(result?.secret).toBe(stdout.trim());
    expect(await readdir(home)).toEqual([]);
  });

  test('takes the domain of the configuration', async () => {
    await writeFile(path.join(home, 'config.toml'), '[cover]\ndomain = "mine.example"\n');
    expect(parseSecret((await generate()).stdout)).toMatchObject({ domain: 'mine.example' });
  });

  test('with a server it prints both links, too', async () => {
    const lines = (await generate('--server', 'h.example', '--port', '8443')).stdout.trim().split('\n');
    expect(lines).toHaveLength(3);
    for (const link of lines.slice(1)) {
      expect(parseLink(link)).toEqual({ server: 'h.example', port: 8443, secret: parseSecret(lines[0] ?? '') });
    }
  });

  test('no two secrets are the same', async () => {
    expect((await generate('--mode', 'dd')).stdout).not.toBe((await generate('--mode', 'dd')).stdout);
  });

  test.each([
    ['--port', '443'],
    ['--mode', 'dd', '--domain', 'site.example'],
    ['--domain', 'not a host'],
    ['--mode', 'xx'],
    ['file.env'],
    ['--env-key', 'X'],
    ['--update-env', '--server', 'h.example'],
    ['--update-env', '--env-key', 'a b'],
  ])('%j %s %s %s is a usage error', async (...argv) => {
    const { error, stdout } = await generate(...argv);
    expect(error?.exit).toBe(EXIT.usage);
    expect(stdout).toBe('');
  });
});

describe('secret generate --update-env', () => {
  test.each([
    ['MTG_SECRET', 'SECRET=a\nMTP_SECRET=b\nMTG_SECRET=c\n'],
    ['MTP_SECRET', 'SECRET=a\nexport MTP_SECRET=b\n'],
    ['SECRET', '# MTG_SECRET=x\nSECRET=a\n'],
    ['MTP_SECRET', 'MY_SECRET=a\n'],
  ])('replaces %s and nothing else in %j', async (key, before) => {
    const file = path.join(home, 'prod.env');
    await writeFile(file, before, { mode: 0o600 });
    const { stdout, stderr, result } = await generate('--update-env', file);
    const after = await readFile(file, 'utf8');
    const secret = new RegExp(`^(?:export )?${key}=(\\w+)$`, 'm').exec(after)?.[1] ?? '';
    expect(parseSecret(secret).mode).toBe('ee');
    const rest = (text: string): string[] =>
      text.split('\n').filter((line) => !new RegExp(`^(export )?${key}=`).test(line));
    expect(rest(after)).toEqual(rest(before));
    expect(await readFile(String(result?.backup), 'utf8')).toBe(before);
    expect(stdout + stderr + JSON.stringify(result)).not.toContain(secret);
  });

  test('a file that is not there is made, private', async () => {
    const file = path.join(home, 'new.env');
    expect((await generate('--update-env', file)).result).toMatchObject({ envKey: 'MTP_SECRET', backup: null });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('--show prints what was written', async () => {
    const file = path.join(home, 'new.env');
    const { result } = await generate('--update-env', file, '--show', '--env-key', 'X');
    expect(await readFile(file, 'utf8')).toBe(`X=${String(result?.secret)}\n`);
  });

  test('warns about a file that others read and about a secret that mtg does not', async () => {
    const file = path.join(home, 'open.env');
    await writeFile(file, 'MTG_SECRET=\n', { mode: 0o644 });
    const { stderr } = await generate('--update-env', file, '--mode', 'dd');
    expect(stderr).toContain('mtg reads ee secrets only');
    expect(stderr).toContain(`chmod 600 ${file}`);
  });
});

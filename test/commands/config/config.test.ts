import type { Command } from '@oclif/core';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { format } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import ConfigGet from '../../../src/commands/config/get.ts';
import ConfigImport from '../../../src/commands/config/import.ts';
import ConfigList from '../../../src/commands/config/list.ts';
import ConfigSet from '../../../src/commands/config/set.ts';
import ConfigTest from '../../../src/commands/config/test.ts';
import ConfigUnset from '../../../src/commands/config/unset.ts';
import { toMtpError } from '../../../src/lib/cli/failure.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');

let home: string;
let file: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'config-command-'));
  file = path.join(home, 'config.toml');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  process.exitCode = undefined;
  await rm(home, { recursive: true });
});

interface Runnable {
  run: (this: new (...args: never[]) => Command, argv: string[], root: string) => Promise<unknown>;
}

/** What a person sees on stdout and stderr, and the error that the entry point would print. */
async function mtp(command: unknown, ...argv: string[]) {
  let [out, err] = ['', ''];
  const stdout = vi.spyOn(console, 'log').mockImplementation((...line: unknown[]) => {
    out += `${format(...line)}\n`;
  });
  const stderr = vi.spyOn(console, 'error').mockImplementation((...line: unknown[]) => {
    err += `${format(...line)}\n`;
  });
  try {
    await (command as Runnable).run.call(command as never, [...argv, '--home', home], ROOT);
    return { out, err, error: undefined };
  } catch (thrown) {
    return { out, err, error: toMtpError(thrown) };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}

describe('config get', () => {
  it('prints the bare value from wherever it comes', async () => {
    expect((await mtp(ConfigGet, 'listen.port')).out).toBe('443\n');
    await writeFile(file, 'protocol.modes = ["ee", "dd"]\n');
    expect((await mtp(ConfigGet, 'protocol.modes')).out).toBe('ee,dd\n');
    vi.stubEnv('MTP_LISTEN_PORT', '8443');
    expect((await mtp(ConfigGet, 'listen.port')).out).toBe('8443\n');
    expect((await mtp(ConfigGet, 'link.server')).out).toBe('\n');
  });

  it('suggests the key that was meant', async () => {
    const { error, out } = await mtp(ConfigGet, 'listen.prt');
    expect(error).toMatchObject({ exit: 64, message: expect.stringContaining('did you mean listen.port?') as string });
    expect(out).toBe('');
  });

  it('says as JSON where the value stands', async () => {
    await writeFile(file, '[listen]\nport = 1\n');
    const { out } = await mtp(ConfigGet, 'listen.port', '--json');
    expect(JSON.parse(out)).toEqual({ key: 'listen.port', value: 1, origin: 'file', where: `${file}:2:8` });
  });
});

describe('config set', () => {
  it('writes a private file and says what changed', async () => {
    const { out } = await mtp(ConfigSet, 'listen.port', '8443');
    expect(out).toContain('2 + port = 8443\n');
    expect(out).toContain(`Wrote ${file}.\nNo proxy is running here`);
    expect(await readFile(file, 'utf8')).toBe('[listen]\nport = 8443\n');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('keeps comments and the mode of the file', async () => {
    await writeFile(file, '# mine\r\n[listen]\r\nport = 1 # one\r\n');
    await chmod(file, 0o640);
    await mtp(ConfigSet, 'listen.port', '2');
    expect(await readFile(file, 'utf8')).toBe('# mine\r\n[listen]\r\nport = 2 # one\r\n');
    expect((await stat(file)).mode & 0o777).toBe(0o640);
  });

  it.each([
    ['a value that is not allowed', ['listen.port', '70000'], 5],
    ['a setting that does not exist', ['listen.prt', '1'], 64],
    ['a password as an argument', ['upstream.socks5', 'socks5://u:hunter2@h:1'], 64],
    ['a missing value', ['listen.port'], 64],
    ['a flag that does not exist', ['listen.port', '1', '--force'], 64],
  ])('changes nothing for %s', async (_, argv, exit) => {
    await writeFile(file, '[listen]\nport = 1\n');
    const { error } = await mtp(ConfigSet, ...argv);
    expect(error?.exit).toBe(exit);
    expect(`${error?.message} ${error?.hint}`).not.toContain('hunter2');
    expect(await readFile(file, 'utf8')).toBe('[listen]\nport = 1\n');
    expect(await readdir(home)).toEqual(['config.toml']);
  });

  it('changes nothing in a broken file', async () => {
    await writeFile(file, '[listen\n');
    expect((await mtp(ConfigSet, 'listen.port', '1')).error).toMatchObject({ exit: 5, code: 'CONFIG_INVALID' });
    expect(await readFile(file, 'utf8')).toBe('[listen\n');
  });

  it('changes nothing in a dry run', async () => {
    expect((await mtp(ConfigSet, 'listen.port', '1', '--dry-run')).out).toContain('nothing was changed');
    expect(await readdir(home)).toEqual([]);
  });

  it('says when the value was there already', async () => {
    await mtp(ConfigSet, 'listen.port', '1');
    expect((await mtp(ConfigSet, 'listen.port', '1')).out).toBe(`${file} says so already.\n`);
  });

  it('warns that a variable overrides the file', async () => {
    vi.stubEnv('MTP_LISTEN_PORT', '5');
    expect((await mtp(ConfigSet, 'listen.port', '6')).out).toContain('listen.port comes from MTP_LISTEN_PORT');
  });
});

describe('config unset', () => {
  it('takes the line out', async () => {
    await writeFile(file, '# a\n[listen]\nport = 1\n# b\n');
    const { out } = await mtp(ConfigUnset, 'listen.port');
    expect(out).toContain('3 - port = 1\n');
    expect(await readFile(file, 'utf8')).toBe('# a\n[listen]\n# b\n');
    expect((await mtp(ConfigUnset, 'listen.port')).out).toBe(`${file} does not set listen.port.\n`);
  });
});

describe('config list', () => {
  it('shows the origin of each value and no password', async () => {
    await writeFile(file, '[upstream]\nsocks5 = "socks5://u:hunter2@127.0.0.1:1080"\n');
    vi.stubEnv('MTP_LOG_LEVEL', 'warn');
    const { out } = await mtp(ConfigList);
    const row = (key: string) =>
      out
        .split('\n')
        .find((line) => line.startsWith(key))
        ?.split(/ {2,}/);
    expect(row('listen.port')).toEqual(['listen.port', '443', 'default']);
    expect(row('log.level')).toEqual(['log.level', 'warn', 'env MTP_LOG_LEVEL']);
    expect(row('upstream.socks5')).toEqual(['upstream.socks5', 'socks5://u:***@127.0.0.1:1080', `file ${file}:2:10`]);
    expect((await mtp(ConfigList, '--json')).out).not.toContain('hunter2');
  });
});

describe('config test', () => {
  it('accepts a valid file', async () => {
    await writeFile(file, '[listen]\nport = 1\n');
    expect((await mtp(ConfigTest)).out).toBe(
      `${file}: valid\nSettings from the file: 1, from variables: 0, by default: 50\n`,
    );
  });

  it('reports every problem, in words and as JSON', async () => {
    const bad = path.join(home, 'bad.toml');
    await writeFile(bad, 'listen.port = 0\nlog.level = "x"\n');
    const { error } = await mtp(ConfigTest, bad);
    expect(error?.exit).toBe(5);
    expect(error?.message.split('\n')).toHaveLength(3);
    const { out } = await mtp(ConfigTest, bad, '--json');
    expect(process.exitCode).toBe(5);
    expect(JSON.parse(out)).toMatchObject({ ok: false, problems: [{ key: 'listen.port' }, { key: 'log.level' }] });
  });

  it('fails on a named file that is not there', async () => {
    expect((await mtp(ConfigTest, path.join(home, 'no.toml'))).error?.exit).toBe(5);
  });
});

describe('config import', () => {
  it('writes the settings, warns by line and never prints the secret', async () => {
    const source = path.join(home, '.env');
    await writeFile(source, 'MTG_SECRET=00112233445566778899aabbccddeeff\nMTG_PORT=8443\nFOO=1\n');
    const { out, err } = await mtp(ConfigImport, source);
    expect(await readFile(file, 'utf8')).toBe('[listen]\nport = 8443\n');
    expect(out).toContain(`${source}:1: MTG_SECRET: import it with: mtp secret add NAME --secret-file FILE`);
    expect(err).toContain(`${source}:3: FOO: not known, left out`);
    expect(out + err).not.toContain('00112233');
  });

  it('changes nothing when a value is not allowed here', async () => {
    const source = path.join(home, '.env');
    await writeFile(source, 'MTG_PORT=8443\nSERVER_HOST=your server\n');
    expect((await mtp(ConfigImport, source)).error?.message).toContain('link.server: "your server" is not allowed');
    expect(await readdir(home)).toEqual(['.env']);
  });
});

import fc from 'fast-check';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { evaluate } from '../../../src/lib/config/evaluate.ts';
import { loadConfig } from '../../../src/lib/config/load.ts';
import { findByEnv, findSetting, SETTINGS, valueFromText, valueToText } from '../../../src/lib/config/settings.ts';
import { formatProblem } from '../../../src/lib/config/sources.ts';
import { renderConfigTemplate } from '../../../src/lib/config/template.ts';

function settings(text: string, env: NodeJS.ProcessEnv = {}) {
  const evaluation = evaluate({ env, file: { text, name: 'c.toml' } });
  if (!evaluation.ok) throw new Error(evaluation.problems.map(formatProblem).join('\n'));
  return evaluation.config.settings;
}

function problems(text: string, env: NodeJS.ProcessEnv = {}): string[] {
  const evaluation = evaluate({ env, file: { text, name: 'c.toml' } });
  return evaluation.ok ? [] : evaluation.problems.map(formatProblem);
}

describe('settings', () => {
  it('have defaults', () => {
    expect(settings('')).toMatchObject({
      listen: { host: '::', port: 443, proxy_protocol_from: [], backlog: 4096 },
      protocol: { modes: ['ee'], transports: ['padded'], max_skew: 120_000, fast_mode: true },
      cover: { domain: 'www.apple.com', target: { host: 'www.apple.com', port: 443 }, connect_timeout: 5000 },
      limits: { connections: 'auto', per_source: 100, handshake_timeout: 30_000, idle_timeout: 600_000 },
      telegram: { prefer: 'ipv4', fallback_dc: 2, dc: {} },
      upstream: {},
      engine: { warm: 0 },
      link: {},
      workers: { count: 'auto' },
      usage: { flush_interval: 5000 },
      shutdown: { drain_timeout: 30_000 },
      log: { level: 'info' },
    });
  });

  it('are taken apart', () => {
    const text = [
      'listen.proxy_protocol_from = ["10.0.0.1", "fd00::/8"]',
      'cover = { domain = "a.example", target = "unix:/run/web.sock" }',
      'limits.per_source = "none"',
      'telegram.fallback_dc = "refuse"',
      'telegram.dc.203 = ["1.2.3.4:443", "[::1]:443"]',
      'upstream.socks5 = "socks5://u:p%40@127.0.0.1:1080"',
    ].join('\n');
    expect(settings(text)).toMatchObject({
      listen: { proxy_protocol_from: ['10.0.0.1/32', 'fd00::/8'] },
      cover: { target: { path: '/run/web.sock' } },
      limits: { per_source: null },
      telegram: {
        fallback_dc: null,
        dc: {
          203: [
            { host: '1.2.3.4', port: 443 },
            { host: '::1', port: 443 },
          ],
        },
      },
      upstream: { socks5: { host: '127.0.0.1', port: 1080, username: 'u', password: 'p@' } },
    });
  });

  it('send the cover traffic to the domain unless told otherwise', () => {
    expect(settings('cover.domain = "a.example"').cover.target).toEqual({ host: 'a.example', port: 443 });
  });

  it('come from a flag before a variable before the file before the default', () => {
    const file = { text: '[listen]\nport = 1\nhost = "1.1.1.1"\nbacklog = 7\n', name: 'c.toml' };
    const env = { MTP_LISTEN_PORT: '2', MTP_LISTEN_HOST: '2.2.2.2', MTP_LOG_LEVEL: '' };
    const evaluation = evaluate({ flags: [{ key: 'listen.port', value: 3, flag: '--port' }], env, file });
    expect(evaluation.ok && evaluation.config.origins).toMatchObject({
      'listen.port': { origin: 'flag', where: '--port', value: 3 },
      'listen.host': { origin: 'env', where: 'MTP_LISTEN_HOST', value: '2.2.2.2' },
      'listen.backlog': { origin: 'file', where: 'c.toml:4:11', value: 7 },
      'log.level': { origin: 'default', where: '', value: 'info' },
    });
  });

  it('merge DCs of the file and of variables', () => {
    const { dc } = settings('telegram.dc = { 1 = ["1.1.1.1:1"], 2 = ["1.1.1.1:2"] }', {
      MTP_TELEGRAM_DC_2: '2.2.2.2:2,[::2]:2',
    }).telegram;
    expect(dc).toEqual({
      1: [{ host: '1.1.1.1', port: 1 }],
      2: [
        { host: '2.2.2.2', port: 2 },
        { host: '::2', port: 2 },
      ],
    });
  });

  it('are all described, and found by key and by variable', () => {
    for (const { key, env, description, allowed } of SETTINGS.filter((setting) => !setting.key.endsWith('.N'))) {
      expect(findSetting(key)?.key).toBe(key);
      expect(findByEnv(env)?.key).toBe(key);
      expect(description).toMatch(/\.$/);
      expect(allowed).not.toMatch(/\.$/);
    }
    expect(findSetting('telegram.dc.203')?.env).toBe('MTP_TELEGRAM_DC_203');
    expect(findByEnv('MTP_TELEGRAM_DC_203')?.key).toBe('telegram.dc.203');
    for (const key of ['telegram.dc.N', 'telegram.dc.0', 'telegram.dc.32768', 'telegram.dc.__proto__', 'constructor']) {
      expect(findSetting(key)).toBeUndefined();
    }
  });

  it('default to what their own text form gives', () => {
    for (const setting of SETTINGS.filter((candidate) => candidate.default !== undefined)) {
      expect(valueFromText(setting, valueToText(setting.default))).toEqual(setting.default);
    }
  });
});

describe('a wrong configuration', () => {
  it.each([
    ['port = 1', 'c.toml:1:1: port: there is no such setting; did you mean listen.port?'],
    ['listen.prt = 1', 'c.toml:1:1: listen.prt: there is no such setting; did you mean listen.port?'],
    ['[listn]\nport = 1', 'c.toml:1:2: listn: there is no such table; did you mean [listen]?'],
    ['[[listen]]\nport = 1', 'c.toml:1:3: listen: this table stands once; allowed: [listen] in single brackets'],
    ['listen = 5', 'c.toml:1:1: listen: this is a table, not a value; allowed: [listen] and settings in it'],
    ['[listen.port]', 'c.toml:1:2: listen.port: this is a value, not a table; allowed: a whole number'],
    ['"listen.port" = 5', 'c.toml:1:1: "listen.port": there is no such setting'],
    ['[listen]\nport = "443"', 'c.toml:2:8: listen.port: "443" must not be in quotes; allowed: a whole number'],
    ['listen.port = 70000', 'c.toml:1:15: listen.port: 70000 is not allowed; allowed: a whole number from 1 to 65535'],
    ['listen.port = 1.5', 'c.toml:1:15: listen.port: 1.5 is not allowed'],
    ['protocol.modes = []', 'c.toml:1:18: protocol.modes: [] is not allowed; allowed: a list of at least one of'],
    ['protocol.modes = ["ee",\n"xx"]', 'c.toml:2:1: protocol.modes: "xx" is not allowed'],
    ['protocol.modes = ["ee", "ee"]', 'c.toml:1:18: protocol.modes: the same entry is there twice'],
    ['cover.domain = "bücher.example"', 'cover.domain: "bücher.example" is not ASCII, write "xn--bcher-kva.example"'],
    ['cover.domain = "1.2.3.4"', 'c.toml:1:16: cover.domain: "1.2.3.4" is not allowed'],
    [`cover.domain = "${'a.'.repeat(91)}b"`, 'c.toml:1:16: cover.domain: the value is not allowed'],
    ['cover.idle_timeout = "25h"', 'cover.idle_timeout: "25h" is not allowed; allowed: a duration such as'],
    ['cover.idle_timeout = 300', 'cover.idle_timeout: 300 is not allowed; allowed: a duration such as'],
    ['telegram.dc.0 = ["1.1.1.1:1"]', 'c.toml:1:1: telegram.dc.0: there is no such DC; allowed: a number from 1'],
    ['telegram.dc.2 = ["a.example:1"]', 'c.toml:1:18: telegram.dc.2: "a.example:1" is not allowed'],
    ['telegram.dc.__proto__ = ["1.1.1.1:1"]', 'telegram.dc.__proto__: there is no such DC'],
    ['log.level = "info"\nlog.level = "warn"', 'c.toml:2:5: defining a key multiple times is invalid'],
    ['[listen\nport = 1', 'c.toml:2:1: the key, equals sign, and value must be on the same line'],
  ])('%j is located and explained', (text, expected) => {
    const found = problems(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it('is reported as a whole, from the top of the file down', () => {
    const text = `[listen]\nport = 0\n[log]\n${'\n'.repeat(8)}level = "x"\n[limits]\nper_source = -1\n`;
    expect(problems(text, { MTP_COVER_DOMAIN: 'x' }).map((line) => line.split(': ')[0])).toEqual([
      'c.toml:2:8',
      'c.toml:12:9',
      'c.toml:14:14',
      'MTP_COVER_DOMAIN',
    ]);
  });

  it('never shows a password', () => {
    const found = problems('upstream.socks5 = "socks5://user:hunter2@"', {
      MTP_COVER_TARGET: 'socks5://user:hunter2@host:1',
    });
    expect(found).toHaveLength(2);
    expect(found.join()).not.toContain('hunter2');
  });

  it.each([
    ['MTP_LISTEN_PRT', 'MTP_LISTEN_PORT'],
    ['MTP_COVERDOMAIN', 'MTP_COVER_DOMAIN'],
    ['MTP_LIMITS_PERSOURCE', 'MTP_LIMITS_PER_SOURCE'],
  ])('includes the mistyped variable %s', (name, meant) => {
    expect(problems('', { [name]: '1' })).toEqual([`${name}: there is no such setting; did you mean ${meant}?`]);
  });

  it('does not include variables of other programs', () => {
    expect(problems('', { MTP_HOME: '/x', MTP_EXTRA: '1', PORT: 'x', MTPX_LISTEN_PORT: 'x' })).toEqual([]);
  });

  it('is found in any text without a crash', () => {
    const word = fc.constantFrom(
      'listen',
      'port',
      '[',
      ']',
      '.',
      '=',
      '"x"',
      '{',
      '}',
      '443',
      '\n',
      ',',
      '#',
      'dc',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(word), (words) => {
        for (const line of problems(words.join(''))) expect(line).toMatch(/^c\.toml:\d+:\d+: ./);
      }),
    );
  });
});

describe('loading a file', () => {
  let dir: string;
  beforeEach(async () => (dir = await mkdtemp(path.join(os.tmpdir(), 'config-'))));
  afterEach(async () => rm(dir, { recursive: true }));

  it('gives the defaults when there is none', async () => {
    const { settings: loaded } = await loadConfig({ file: path.join(dir, 'no.toml'), env: {} });
    expect(loaded.listen.port).toBe(443);
  });

  it.each([
    ['is not UTF-8', Buffer.from([0x61, 0xff]), 'it is not UTF-8 text'],
    ['is too large', Buffer.alloc(2 ** 20 + 1, 0x20), 'it is larger than 1 MiB'],
  ])('fails when it %s', async (_, content, message) => {
    const file = path.join(dir, 'c.toml');
    await writeFile(file, content);
    await expect(loadConfig({ file, env: {} })).rejects.toMatchObject({
      message: `cannot read ${file}: ${message}`,
      exit: 5,
    });
  });

  it('fails on what is no file', async () => {
    await expect(loadConfig({ file: dir, env: {} })).rejects.toThrow(`cannot read ${dir}: it is a directory`);
    await expect(loadConfig({ file: '/dev/zero', env: {} })).rejects.toThrow('it is not a regular file');
  });

  it('says everything that is wrong in one error', async () => {
    const file = path.join(dir, 'c.toml');
    await writeFile(file, 'listen.port = 0\nlog.level = "x"\n');
    const error: unknown = await loadConfig({ file, env: {} }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', exit: 5 });
    expect(String(error)).toContain(`2 problems in the configuration\n  ${file}:1:15: listen.port: 0 is not allowed`);
  });
});

describe('deployment.env', () => {
  const level = (env: string): string => `deployment.env = "${env}"\nlog.level = "debug"\n`;

  it('refuses a log of everything in production, which is the default', () => {
    const place = 'c.toml:1:13: log.level: "debug" is for tests, and deployment.env says production';
    expect(problems('log.level = "debug"\n')).toEqual([expect.stringContaining(place)]);
    expect(problems('log.level = "debug"\n')[0]).not.toContain('allowed: "debug"');
    expect(problems(level('production'))).toHaveLength(1);
  });

  it.each(['staging', 'development'])('takes it in %s', (env) => {
    expect(settings(level(env)).log.level).toBe('debug');
  });
});

describe('the first configuration file', () => {
  it('holds what is given and is valid', async () => {
    const text = await renderConfigTemplate({ port: 8443, domain: 'a.example', server: '203.0.113.7' });
    expect(settings(text)).toMatchObject({
      listen: { port: 8443 },
      cover: { domain: 'a.example' },
      link: { server: '203.0.113.7' },
    });
  });

  it('keeps as a comment what is not given', async () => {
    const text = await renderConfigTemplate({});
    expect(text).toContain('\n# port = 443\n');
    expect(text).toContain('\n# server = "proxy.example.org"\n');
    expect(text).not.toMatch(/[{}]/);
    expect(settings(text)).toEqual(settings(''));
  });
});

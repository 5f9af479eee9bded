import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENV_RULES, TOML_RULES } from '../../../src/lib/config/import-rules.ts';
import { type ImportPlan, planImport } from '../../../src/lib/config/import.ts';
import { findSetting } from '../../../src/lib/config/settings.ts';

const KEY = '00112233445566778899aabbccddeeff';
const EE = `ee${KEY}${Buffer.from('a.example').toString('hex')}`;

let dir: string;
beforeEach(async () => (dir = await mkdtemp(path.join(os.tmpdir(), 'import-'))));
afterEach(async () => rm(dir, { recursive: true }));

async function plan(name: string, text: string): Promise<ImportPlan> {
  const file = path.join(dir, name);
  await writeFile(file, text);
  return planImport(file);
}

function wanted({ edits }: ImportPlan): Record<string, unknown> {
  return Object.fromEntries(edits.map(({ key, value }) => [key, value]));
}

describe('importing a .env file', () => {
  it('translates what has a counterpart', async () => {
    const result = await plan(
      '.env',
      [
        'MTG_PORT=8443',
        'MTG_BIND_IP=0.0.0.0',
        'SERVER_HOST="proxy.example"',
        'MTG_DOMAIN=www.example.org # site',
        'MTG_WORKERS=2',
        'MTG_SECURE_ONLY=true',
        'MTG_MAX_CONNECTIONS_PER_IP=0',
        'MTG_DISABLE_IPV6=true',
        'MTG_LOG_LEVEL=WARNING',
      ].join('\n'),
    );
    expect(wanted(result)).toEqual({
      'listen.port': 8443,
      'listen.host': '0.0.0.0',
      'link.server': 'proxy.example',
      'cover.domain': 'www.example.org',
      'workers.count': 2,
      'protocol.modes': ['ee', 'dd'],
      'limits.per_source': 'none',
      'telegram.prefer': 'ipv4-only',
      'log.level': 'warn',
    });
    expect(result).toMatchObject({ secrets: [], dropped: [], warnings: [] });
  });

  it('keeps plain links working where they were allowed', async () => {
    expect(wanted(await plan('.env', 'MTG_SECURE_ONLY=false'))).toEqual({
      'protocol.modes': ['ee', 'dd', 'plain'],
      'protocol.transports': ['padded', 'intermediate', 'abridged'],
    });
  });

  it('names what it leaves out, by line', async () => {
    const result = await plan('.env', '# x\nMTG_STATS_PORT=3001\nFOO=1\nwhat\nMTG_PORT=many\nMTG_DOMAIN=\n');
    expect(result.dropped).toMatchObject([{ line: 2, key: 'MTG_STATS_PORT' }]);
    expect(result.warnings.map(({ line, key }) => [line, key])).toEqual([
      [4, ''],
      [3, 'FOO'],
      [5, 'MTG_PORT'],
    ]);
    expect(result.edits).toEqual([]);
  });

  it('tells how to import a secret and keeps the secret to itself', async () => {
    for (const secret of [KEY, `dd${KEY}`, EE]) {
      const result = await plan('.env', `MTG_SECRET=${secret}\n`);
      expect(result.secrets).toMatchObject([{ line: 1, key: 'MTG_SECRET' }]);
      expect(JSON.stringify(result)).not.toContain(KEY);
    }
  });

  it('takes the site from an ee secret unless another is named', async () => {
    expect(wanted(await plan('.env', `MTG_SECRET=${EE}`))).toEqual({ 'cover.domain': 'a.example' });
    expect(wanted(await plan('.env', `MTG_DOMAIN=b.example\nMTG_SECRET=${EE}`))).toEqual({
      'cover.domain': 'b.example',
    });
    expect(wanted(await plan('.env', `MTG_SECRET=${EE}\nMTG_DOMAIN=b.example`))).toEqual({
      'cover.domain': 'b.example',
    });
  });
});

describe('importing the file of mtg', () => {
  it('translates what has a counterpart', async () => {
    const result = await plan(
      'mtg.toml',
      `secret = "${EE}"
bind-to = "0.0.0.0:3128"
concurrency = 8192
prefer-ip = "only-ipv6"
domain-fronting-port = 8443
[network]
proxies = ["socks5://u:p@1.1.1.1:80?open_threshold=5"]
[network.timeout]
tcp = "5s"
idle = "1m30s"
[defense.time]
enabled = true
allow-skewness = "5s"
[mystery]
key = 1
`,
    );
    expect(wanted(result)).toEqual({
      'cover.domain': 'a.example',
      'cover.target': 'a.example:8443',
      'listen.host': '0.0.0.0',
      'listen.port': 3128,
      'limits.connections': 8192,
      'telegram.prefer': 'ipv6-only',
      'telegram.connect_timeout': '5s',
      'upstream.socks5': 'socks5://u:p@1.1.1.1:80',
      'limits.idle_timeout': '90s',
      'protocol.max_skew': '5s',
    });
    expect(result.secrets).toMatchObject([{ line: 1 }]);
    expect(result.dropped).toMatchObject([{ line: 12, key: 'defense.time.enabled' }]);
    expect(result.warnings).toMatchObject([{ line: 15, key: 'mystery.key' }]);
  });

  it('fails with the place where the file is broken, or missing', async () => {
    await expect(plan('mtg.toml', 'secret = \n')).rejects.toThrow('mtg.toml:2:1: unspecified values are invalid');
    await expect(planImport(path.join(dir, 'no.env'))).rejects.toThrow('no such file or directory');
  });
});

it('every rule writes settings that exist', () => {
  const samples = ['1', 'true', 'false', '1.2.3.4:5', 'info', 'prefer-ipv4', '5s', EE];
  for (const rule of [...Object.values(ENV_RULES), ...Object.values(TOML_RULES)]) {
    const results = samples.map((sample) => rule(sample, new Map([['secret', EE]])));
    expect(results.some((result) => result !== undefined)).toBe(true);
    for (const key of results.flatMap((result) => (typeof result === 'object' ? Object.keys(result) : []))) {
      expect(findSetting(key)?.key).toBe(key);
    }
  }
});

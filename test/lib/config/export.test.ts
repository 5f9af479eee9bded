import fc from 'fast-check';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { applyEdits } from '../../../src/lib/config/apply.ts';
import { envTextOf } from '../../../src/lib/config/env-text.ts';
import { exportConfig } from '../../../src/lib/config/export.ts';
import { planImport } from '../../../src/lib/config/import.ts';
import { loadConfig } from '../../../src/lib/config/load.ts';
import { formatValue } from '../../../src/lib/config/toml.ts';
import { resolvePaths } from '../../../src/lib/system/paths.ts';
import { addUser } from '../../../src/lib/users/store.ts';

let dir: string;
beforeEach(async () => (dir = await mkdtemp(path.join(os.tmpdir(), 'export-'))));
afterEach(async () => rm(dir, { recursive: true }));

const KEY = Buffer.from('367a189aee18fa31c190054efd4a8e01', 'hex');
const at = (home: string) => resolvePaths({ home: path.join(dir, home), env: {}, isRoot: false, userHome: dir });

const duration = fc.tuple(fc.integer({ min: 1, max: 59 }), fc.constantFrom('s', 'm')).map(([n, unit]) => `${n}${unit}`);
const count = fc.integer({ min: 1, max: 10 ** 12 });
const port = fc.integer({ min: 1, max: 65_535 });
const some = (...items: string[]) => fc.subarray(items, { minLength: 1 });
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

/** Any settings that the file can hold, by dotted key; undefined is not in the file. */
const settings = fc.record({
  'listen.host': optional(fc.constantFrom('::', '0.0.0.0', '10.0.0.7', '2001:db8::1')),
  'listen.port': optional(port),
  'listen.proxy_protocol_from': optional(fc.subarray(['10.0.0.0/8', '::1'])),
  'protocol.modes': optional(some('ee', 'dd', 'plain')),
  'protocol.transports': optional(some('padded', 'intermediate', 'abridged')),
  'protocol.max_skew': optional(duration),
  'protocol.fast_mode': optional(fc.boolean()),
  'cover.domain': optional(fc.constantFrom('a.example', 'www.example.org')),
  'cover.target': optional(
    fc
      .string({ maxLength: 40, unit: fc.constantFrom(...'a \'"$`\\#=;\n\r\tä '.split('')) })
      .map((name) => `unix:/${name}`),
  ),
  'limits.connections': optional(fc.oneof(fc.constant('auto'), count)),
  'limits.per_source': optional(fc.oneof(fc.constant('none'), count)),
  'limits.idle_timeout': optional(duration),
  'telegram.prefer': optional(fc.constantFrom('ipv4', 'ipv6', 'ipv4-only', 'ipv6-only')),
  'telegram.fallback_dc': optional(fc.oneof(fc.constant('refuse'), fc.integer({ min: 1, max: 5 }))),
  'telegram.dc.2': optional(fc.constant(['149.154.167.51:443', '[2001:67c:4e8:f002::a]:443'])),
  'upstream.socks5': optional(fc.constantFrom('socks5://1.1.1.1:80', 'socks5://u:p%23%27@[::1]:80')),
  'link.server': optional(fc.constantFrom('proxy.example', '192.0.2.1')),
  'link.port': optional(port),
  'workers.count': optional(fc.oneof(fc.constant('auto'), fc.integer({ min: 1, max: 64 }))),
  'rotation.max_age': optional(fc.constantFrom('none', '7d')),
  'deployment.env': optional(fc.constantFrom('production', 'staging')),
  'log.level': optional(fc.constantFrom('info', 'warn', 'error')),
});

async function configure(home: string, values: Record<string, unknown>) {
  const file = path.join(dir, `${home}.toml`);
  const lines = Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key} = ${formatValue(value)}`],
  );
  await writeFile(file, lines.join('\n'));
  return loadConfig({ file, env: {} });
}

describe('settings as a .env file', () => {
  it('say the same settings when they are read back, and are then written the same', async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (values) => {
        const config = await configure('one', values);
        const { text } = envTextOf(config, { withSecrets: true });
        await writeFile(path.join(dir, '.env'), text);
        const { edits, dropped, warnings } = await planImport(path.join(dir, '.env'));
        expect({ dropped, warnings }).toEqual({ dropped: [], warnings: [] });
        const again = await configure('two', Object.fromEntries(edits.map(({ key, value }) => [key, value])));
        expect(again.settings).toEqual(config.settings);
        expect(envTextOf(again, { withSecrets: true }).text).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it('are under the keys of mtg where it has them', async () => {
    const config = await configure('one', {
      'listen.port': 8443,
      'protocol.modes': ['ee', 'dd', 'plain'],
      'protocol.transports': ['padded', 'intermediate', 'abridged'],
      'limits.per_source': 'none',
      'link.server': 'proxy.example',
      'rotation.grace': '3d',
    });
    expect(envTextOf(config, { withSecrets: false }).text.split('\n').sort()).toEqual([
      '',
      'MTG_MAX_CONNECTIONS_PER_IP=0',
      'MTG_PORT=8443',
      'MTG_SECURE_ONLY=false',
      'MTP_ROTATION_GRACE=3d',
      'SERVER_HOST=proxy.example',
    ]);
  });

  it('leave a password out unless it is asked for', async () => {
    const config = await configure('one', { 'upstream.socks5': 'socks5://u:hidden@1.1.1.1:80' });
    expect(envTextOf(config, { withSecrets: false })).toEqual({ text: '', settings: 0, withheld: ['upstream.socks5'] });
    expect(envTextOf(config, { withSecrets: true }).text).toContain('hidden');
  });
});

describe('exporting to a file', () => {
  it('writes secrets into a new private file only', async () => {
    const paths = at('home');
    await addUser(paths, { name: 'me', key: KEY });
    const file = path.join(dir, 'proxy.env');
    await expect(exportConfig(paths, { file: undefined, withSecrets: true, env: {} })).rejects.toThrow('into a file');
    expect((await exportConfig(paths, { file: undefined, withSecrets: false, env: {} })).text).not.toContain('SECRET');
    expect(await exportConfig(paths, { file, withSecrets: true, env: {} })).toMatchObject({ user: 'me', text: null });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toContain(`MTG_SECRET=ee${KEY.toString('hex')}`);
    await expect(exportConfig(paths, { file, withSecrets: true, env: {} })).rejects.toThrow('is there already');
  });

  it('and back through the import gives the file that was', async () => {
    const [one, two] = [at('one'), at('two')];
    const edits = [
      { key: 'listen.port', value: 8443 },
      { key: 'rotation.max_age', value: '30d' },
    ];
    await applyEdits(one, edits, { dryRun: false, env: {} });
    const file = path.join(dir, 'proxy.env');
    await exportConfig(one, { file, withSecrets: false, env: {} });
    await applyEdits(two, (await planImport(file)).edits, { dryRun: false, env: {} });
    expect(await readFile(two.configFile, 'utf8')).toBe(await readFile(one.configFile, 'utf8'));
  });
});

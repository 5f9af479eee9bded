import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatEndpoint, parseCidr, parseEndpoint, parseSocks5 } from '../../../src/lib/config/address.ts';
import { formatDuration, parseDuration } from '../../../src/lib/config/duration.ts';
import { editToml } from '../../../src/lib/config/edit.ts';
import { formatKey, parseToml } from '../../../src/lib/config/toml.ts';
import { setEnvValue } from '../../../src/lib/env-file/edit.ts';
import { parseEnv } from '../../../src/lib/env-file/parse.ts';
import { MtpError } from '../../../src/lib/errors.ts';
import { formatLinks, parseLink } from '../../../src/lib/link/link.ts';
import { COLUMNS, secretCells } from '../../../src/lib/users/columns.ts';
import { csvWithSecrets } from '../../../src/lib/users/export.ts';
import { type ImportPlan, planImport } from '../../../src/lib/users/import-plan.ts';
import type { User } from '../../../src/lib/users/user.ts';
import { inserting, mutator } from '../mutate.ts';
import type { Random } from '../random.ts';
import { alone, type Target } from '../target.ts';

/** Check text, which is what of the bytes is UTF-8. */
const text = (check: (text: string, random: Random) => void): Target['open'] =>
  alone((input, random) => check(input.toString('utf8'), random));
const samples = (...lines: string[]): Buffer[] => lines.map((line) => Buffer.from(line));
const strings = (arbitrary: fc.Arbitrary<string>): fc.Arbitrary<Buffer> => arbitrary.map((line) => Buffer.from(line));

/** What a call gives back, or undefined where it refuses as it should. */
function orRefused<Result>(call: () => Result): Result | undefined {
  try {
    return call();
  } catch (error) {
    assert.ok(error instanceof MtpError, error instanceof Error ? error : String(error));
    return undefined;
  }
}

function link(input: string): void {
  const found = orRefused(() => parseLink(input));
  if (found === undefined) return;
  const { tg, https } = formatLinks(found);
  assert.deepEqual(parseLink(tg), found);
  assert.deepEqual(parseLink(https), found);
}

function env(input: string, random: Random): void {
  const { entries } = parseEnv(input);
  let before = 0;
  for (const { start, end, line } of entries) {
    assert.ok(start >= before && end >= start && end <= input.length && line >= 1, 'entries overlap');
    before = end;
  }
  const [key, value] = [random.pick(['A', 'MTG_PORT']), random.pick(['x', 'a b', "it's", '"', '\n', '#', ''])];
  const after = setEnvValue(input, key, value);
  const changed = parseEnv(after).entries;
  // A quote that nobody closed, or a lone carriage return, can be in the way: `updateEnvFile` refuses what does not read back.
  if (/\r(?!\n)/.test(input) || entries.some((entry) => entry.quote === '' && /^['"]/.test(entry.value))) return;
  const expected = entries.map((entry) => [entry.key, entry.key === key ? value : entry.value]);
  if (!entries.some((entry) => entry.key === key)) expected.push([key, value]);
  assert.deepEqual(
    changed.map((entry) => [entry.key, entry.value]),
    expected,
  );
  assert.equal(setEnvValue(after, key, value), after);
}

function toml(input: string, random: Random): void {
  const parsed = parseToml(input);
  const path = random.pick([
    ['listen', 'port'],
    ['cover', 'domain'],
    ['telegram', 'dc', '2'],
  ]);
  const after = editToml(input, path, 'x');
  if (!parsed.ok) {
    assert.equal(after, input);
    return;
  }
  const lines = input.split('\n').length;
  for (const { keyAt } of parsed.document.entries) assert.ok(keyAt.line >= 1 && keyAt.line <= lines, 'a line too far');
  // Where a part of the path is a value, or a table of several, the key cannot be there: the reader of settings refuses that.
  const names = parsed.document.entries.map((entry) => entry.path);
  const headers = parsed.document.headers.map((header) => header.path);
  if ([...names, ...headers].some((other) => other[0] === path[0])) return;
  const again = parseToml(after);
  assert.ok(again.ok, 'it cannot be read after the change');
  assert.equal(again.document.entries.find((entry) => formatKey(entry.path) === formatKey(path))?.value, 'x');
  assert.equal(again.document.entries.length, names.length + 1);
}

function scalars(input: string): void {
  const endpoint = parseEndpoint(input);
  if (endpoint !== undefined) assert.deepEqual(parseEndpoint(formatEndpoint(endpoint)), endpoint);
  const cidr = parseCidr(input);
  if (cidr !== undefined) assert.equal(parseCidr(cidr), cidr);
  const duration = parseDuration(input);
  if (duration !== undefined) assert.equal(parseDuration(formatDuration(duration)), duration);
  const proxy = parseSocks5(input);
  if (proxy !== undefined) assert.ok(parseEndpoint(formatEndpoint(proxy)) !== undefined);
}

const KEY = '00112233445566778899aabbccddeeff';
const LINK_WORDS = [
  'tg://proxy?',
  'https://t.me/proxy?',
  'server=',
  '&port=',
  '&secret=',
  'ee',
  'dd',
  KEY,
  '%',
  '%00',
  '+',
  '::1',
  '=',
];
const ENV_WORDS = ['A=', 'export ', "'", '"', '\\', '\n', '\r\n', ' #', '=', '$', '\uFEFF', 'MTG_PORT='];
const TOML_WORDS = [
  '[',
  ']',
  '[[',
  '"""',
  "'''",
  '=',
  '\n',
  '{',
  '}',
  '.',
  '#',
  '"',
  'inf',
  '1979-05-27',
  '\\u',
  'listen',
  ',',
];
const links = fc
  .tuple(
    fc.constantFrom('tg://proxy?', 'https://t.me/proxy?', 't.me/proxy?'),
    fc.domain(),
    fc.integer({ min: 1, max: 65_535 }),
    fc.constantFrom('', 'dd', 'ee'),
  )
  .map(([head, server, port, mode]) => {
    const domain = mode === 'ee' ? Buffer.from('example.com').toString('hex') : '';
    return `${head}server=${server}&port=${port}&secret=${mode}${KEY}${domain}`;
  });
const rows = (unit: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(unit, { maxLength: 8 }).map((lines) => lines.join('\n'));
const envRow = fc.stringMatching(/^(export )?[A-C]=("[a-z\\n ]*"|'[a-z ]*'|[a-z]*)( #.*)?$/);
const tomlRow = fc.oneof(
  fc.constantFrom(
    '[listen]',
    '[a.b]',
    '[[c]]',
    'listen = { port = 1 }',
    'x = [1, "a", { y = 2 }]',
    'd = 1979-05-27T07:32:00Z',
  ),
  fc.stringMatching(/^[a-d](\.[e-h])? = (\d{1,9}|"[a-z\\n]*"|true|\[\d, \d\]) *(#[a-z]*)?$/),
);
/** Every line is a user or a fault; users are read again from what an export of them says. */
function userTable(input: string, random: Random): void {
  const sources = { random: (bytes: number) => random.bytes(bytes), now: () => new Date(1_800_000_000_000) };
  const reading = { now: sources.now().getTime(), allowWeak: true };
  const plan = (csv: string): ImportPlan | undefined => orRefused(() => planImport(csv, 'users.csv', reading, sources));
  const first = plan(input);
  if (first === undefined) return;
  const lines = input.split(/\r\n|\r|\n/).length;
  for (const { line } of [...first.users, ...first.faults]) assert.ok(line >= 1 && line <= lines, 'no such line');
  const users = first.users.map(({ user }) => user);
  const again = plan(csvWithSecrets(users));
  const said = ({ name, enabled, expiresAt, notes, tags, limits, ...user }: User): unknown => {
    return { name, enabled, expiresAt, notes, tags, limits, secrets: secretCells(user as User) };
  };
  assert.ok(again !== undefined, 'an export has no fit header');
  assert.deepEqual(again.faults, []);
  assert.deepEqual(
    again.users.map(({ user }) => said(user)),
    users.map(said),
  );
}

const userCell = fc.constantFrom(
  ...['bob', 'eve', '3', 'none', '0', '1.5GB/week', '2027-01-01', '30d', '500kbit', '1Gbit', 'a b', 'yes', 'no', ''],
  ...[
    "'=x",
    '=x',
    '"a, ""b"""',
    KEY,
    `dd${KEY}`,
    `${KEY}/retiring/2027-01-01T00:00Z/2`,
    `${KEY}/revoked/2027-01-01`,
    '\u{1f642}',
    '../x',
    '99999PB/day',
    '2028-02-29T10:00Z',
  ],
);
const userRow = fc.array(userCell, { minLength: 1, maxLength: COLUMNS.length }).map((cells) => cells.join(','));
const userTables = fc
  .tuple(fc.subarray([...COLUMNS], { minLength: 1 }), fc.array(userRow, { maxLength: 5 }))
  .map(([columns, lines]) => [columns.join(','), ...lines].join('\n'));

const scalar = fc.oneof(
  fc.ipV4(),
  fc.ipV6().map((ip) => `[${ip}]:443`),
  fc.domain().map((name) => `${name}:80`),
  fc.stringMatching(/^\d{1,12}(ms|s|m|h)$/),
  fc.stringMatching(/^socks5:\/\/[a-z%]{1,5}:[a-z]{1,5}@[a-z]{1,9}:\d{1,5}$/),
);

export const TEXT_TARGETS: Target[] = [
  {
    name: 'link',
    weight: 5,
    corpus: samples(
      `tg://proxy?server=a.example&port=443&secret=dd${KEY}`,
      'tg:proxy?server=1.2.3.4&port=1&secret=7gAAESIzRFVmd4iZqrvM3e7_ZXhhbXBsZS5jb20',
    ),
    arbitrary: strings(links),
    mutate: mutator(inserting(LINK_WORDS)),
    open: text(link),
  },
  {
    name: 'env-file',
    weight: 4,
    corpus: samples('A=\'1\'\nexport B="x\\n" # y\n'),
    arbitrary: strings(rows(envRow)),
    mutate: mutator(inserting(ENV_WORDS)),
    open: text(env),
  },
  {
    name: 'toml',
    weight: 1,
    corpus: samples('[listen]\nport = 443 # x\n[telegram.dc]\n1 = ["a:1"]\n'),
    arbitrary: strings(rows(tomlRow)),
    mutate: mutator(inserting(TOML_WORDS)),
    open: text(toml),
  },
  {
    name: 'addresses',
    weight: 6,
    corpus: samples('[::1]:443', '10.0.0.0/8', '90s', 'socks5://u:p@h:1080'),
    arbitrary: strings(scalar),
    mutate: mutator(inserting(['::', '/', ':', '[', ']', '%', 'socks5://', '@', 'ms'])),
    open: text(scalars),
  },
  {
    name: 'user-import',
    weight: 2,
    corpus: samples(
      `name,secret,devices,max_networks,quota,quota_from,up,down,expires,tags,note,enabled\nbob,${KEY},3,0,1GB/day,2027-01-01,1Mbit,2Mbit,30d,a b,"x, y",no\n`,
      'name,note\r\nbob,"\'=1"\r\n\r\neve,\r\n',
    ),
    arbitrary: strings(userTables),
    mutate: mutator(inserting([',', '"', '\n', '\r', "'", '=', ...COLUMNS])),
    open: text(userTable),
  },
];

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { loadReplays } from '../../../src/daemon/engine/replay-store.ts';
import { ReplayTable } from '../../../src/daemon/engine/shared/replay.ts';
import { ENV_RULES, TOML_RULES } from '../../../src/lib/config/import-rules.ts';
import { planImport } from '../../../src/lib/config/import.ts';
import { findSetting } from '../../../src/lib/config/settings.ts';
import { MtpError } from '../../../src/lib/errors.ts';
import { foldName } from '../../../src/lib/users/user.ts';
import { parseUsersFile, type PlainUser } from '../../../src/lib/users/users-file.ts';
import { inserting, mutator } from '../mutate.ts';
import type { Target } from '../target.ts';

/** A check of what is in a file, whose name is given. */
function inFile(name: string, check: (file: string, input: Buffer) => void | Promise<void>): Target['open'] {
  return async () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'mtp-fuzz-'));
    const file = path.join(directory, name);
    return {
      check: (input) => {
        writeFileSync(file, input, { mode: 0o600 });
        return check(file, input);
      },
      close: async () => rmSync(directory, { recursive: true }),
    };
  };
}

const NOW = 1_700_000_000;

/** Every entry that has not expired is known afterwards, unless its bucket was full. */
function journal(file: string, input: Buffer): void {
  const table = ReplayTable.create(64);
  loadReplays(file, table, NOW);
  const live: Buffer[] = [];
  for (let at = 0; at + 16 <= input.length; at += 16) {
    if (input.readInt32LE(at + 12) > NOW) live.push(input.subarray(at, at + 12));
  }
  assert.ok(table.entries <= live.length && table.entries <= 64, 'entries that nobody made');
  assert.equal(table.dump(NOW).length, 16 * table.entries);
  if (table.evicted > 0) return;
  for (const digest of live) assert.equal(table.enter(digest, NOW, NOW + 1), false, 'a replay is not recognised');
}

async function orRefused<Result>(result: Promise<Result>): Promise<Result | undefined> {
  try {
    return await result;
  } catch (error) {
    assert.ok(error instanceof MtpError, error instanceof Error ? error : String(error));
    return undefined;
  }
}

function users(file: string, input: Buffer): void {
  const text = input.toString('utf8');
  let parsed: PlainUser[];
  try {
    parsed = parseUsersFile(text, file);
  } catch (error) {
    assert.ok(error instanceof MtpError, error instanceof Error ? error : String(error));
    return;
  }
  for (const { id, key, name } of parsed) {
    assert.match(`${id}${key}`, /^[0-9a-f]{48}$/);
    assert.ok(name.length > 0 && name.length <= 128 && !/[\s/]/.test(name));
  }
  for (const values of [parsed.map(({ key }) => key), parsed.map(({ name }) => foldName(name))]) {
    assert.equal(new Set(values).size, values.length, 'the same twice');
  }
  assert.deepEqual(parseUsersFile(JSON.stringify({ version: 1, users: parsed }), file), parsed);
}

async function imported(file: string, input: Buffer): Promise<void> {
  const plan = await orRefused(planImport(file));
  if (plan === undefined) return;
  const lines = input.toString('utf8').split('\n').length;
  for (const { key, value } of plan.edits) {
    assert.ok(findSetting(key) !== undefined, `there is no setting ${key}`);
    assert.notEqual(value, undefined);
  }
  for (const { line } of [...plan.secrets, ...plan.dropped, ...plan.warnings]) assert.ok(line >= 1 && line <= lines);
}

const expiry = fc.oneof(fc.integer({ min: NOW - 10, max: NOW + 10 }), fc.integer());
const row = fc.tuple(fc.uint8Array({ minLength: 12, maxLength: 12 }), expiry).map(([digest, at]) => {
  const out = Buffer.alloc(16);
  out.set(digest);
  out.writeInt32LE(at, 12);
  return out;
});
const journals = fc.array(row, { maxLength: 40 }).map((entries) => Buffer.concat(entries));

const user = fc.record({
  id: fc.stringMatching(/^[0-9a-f]{16}$/),
  name: fc.stringMatching(/^[A-Za-z0-9._@-]{1,20}$/),
  key: fc.stringMatching(/^[0-9a-f]{32}$/),
  createdAt: fc.constantFrom('2026-01-31T12:00:00.000Z', '2026-01-31T12:00:00Z', 'yesterday'),
  enabled: fc.boolean(),
});
const userFiles = fc
  .array(user, { maxLength: 4 })
  .map((list) => Buffer.from(JSON.stringify({ version: 1, users: list })));
const USER_WORDS = [
  '"users"',
  '"key"',
  '[',
  ']',
  '{',
  '}',
  ',',
  '"',
  'null',
  'true',
  '1e999',
  '"__proto__":{}',
  '\\ud800',
  'ß',
  'ſ',
];

const VALUES = [
  '443',
  'true',
  '"x"',
  '127.0.0.1:443',
  '5m',
  'socks5://u:p@127.0.0.1:1080',
  '"0.0.0.0:3128"',
  '',
  '["a"]',
];
const assignments = (keys: string[]): fc.Arbitrary<Buffer> =>
  fc
    .array(fc.tuple(fc.constantFrom(...keys), fc.constantFrom(...VALUES)), { maxLength: 8 })
    .map((pairs) => Buffer.from(pairs.map(([key, value]) => `${key} = ${value}`).join('\n')));
const WORDS = [...VALUES, '=', '\n', '"', "'", '#', '[', ']'];

export const FILE_TARGETS: Target[] = [
  {
    name: 'replay-journal',
    weight: 2,
    corpus: [],
    arbitrary: journals,
    mutate: mutator(),
    open: inFile('replays', journal),
  },
  {
    name: 'users-file',
    weight: 0.5,
    corpus: [],
    arbitrary: userFiles,
    mutate: mutator(inserting(USER_WORDS)),
    open: inFile('users.json', users),
  },
  {
    name: 'import-toml',
    weight: 0.3,
    corpus: [],
    arbitrary: assignments(Object.keys(TOML_RULES)),
    mutate: mutator(inserting([...WORDS, ...Object.keys(TOML_RULES)])),
    open: inFile('mtg.toml', imported),
  },
  {
    name: 'import-env',
    weight: 0.5,
    corpus: [],
    arbitrary: assignments(Object.keys(ENV_RULES)),
    mutate: mutator(inserting([...WORDS, ...Object.keys(ENV_RULES)])),
    open: inFile('.env', imported),
  },
];

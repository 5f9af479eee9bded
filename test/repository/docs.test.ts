import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../src/lib/errors.ts';
import { countryDatabase } from '../support/mmdb.ts';
import { files, manifest, read, ROOT } from './tree.ts';

const pages = files('{*.md,docs/**/*.md}');
const { commands } = manifest();

/** Every command line of `mtp` on a page: in fenced blocks, after a prompt or not, and between backticks in the text. */
function commandLines(page: string): string[] {
  const text = read(page);
  const fenced = [...text.matchAll(/^```\w*\n([^]*?)^```/gm)].flatMap(([, block = '']) => block.split('\n'));
  const inText = [...text.matchAll(/`(mtp [^`\n]+)`/g)].map(([, code = '']) => code);
  return [...fenced, ...inText]
    .map((line) => line.replace(/^\$ /, '').replace(/^sudo /, ''))
    .filter((line) => line.startsWith('mtp '));
}

interface CommandLine {
  /** As in the manifest; undefined when there is no such command. */
  id: string | undefined;
  /** Whether all that is named is a group of commands. */
  isTopic: boolean;
  words: string[];
  flags: string[];
}

/** The id of a command that is called by its name or by an alias. */
function idOf(name: string): string | undefined {
  return Object.keys(commands).find((id) => id === name || commands[id]?.aliases.includes(name));
}

/** What a line names. Comments, pipes and redirections are left out. */
function takeApart(line: string): CommandLine {
  const command = line.replace(/ +[#<>|;&].*$/, '');
  const words = (command.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^"(.*)"$/, '$1')).slice(1);
  const [first = '', second = '', third = ''] = words;
  const id = [`${first}:${second}:${third}`, `${first}:${second}`, first]
    .map(idOf)
    .find((known) => known !== undefined);
  const isTopic = Object.keys(commands).some((known) => known.startsWith(`${words.join(':')}:`));
  const flags = words.filter((word) => /^--\w/.test(word)).map((word) => word.slice(2).split('=')[0] ?? '');
  return { id, isTopic, words, flags };
}

const written = pages.flatMap((page) => commandLines(page).map((line) => ({ page, line })));

describe('command lines in the documents', () => {
  test('are found', () => {
    expect(written.filter(({ page }) => page === 'docs/secrets.md').length).toBeGreaterThan(8);
    expect(written.filter(({ page }) => page === 'docs/configuration.md').length).toBeGreaterThan(4);
  });

  test.each(written)('$page: $line', ({ line }) => {
    const { id, isTopic, words, flags } = takeApart(line);
    if (id === undefined) {
      expect(isTopic || ['--version', '--help'].includes(words[0] ?? ''), 'there is no such command').toBe(true);
      return;
    }
    const known = commands[id]?.flags ?? {};
    const names = Object.entries(known).flatMap(([name, { allowNo }]) => (allowNo ? [name, `no-${name}`] : [name]));
    expect([...names, 'help']).toEqual(expect.arrayContaining(flags));
  });

  test.each([
    ['mtp secret frobnicate', undefined],
    ['mtp secret list --json  # names', 'secret:list'],
    ['mtp link bob', 'link'],
  ])('are told apart: %s', (line, id) => {
    const parts = takeApart(line);
    expect(parts.id).toBe(id);
    expect(parts.isTopic).toBe(false);
  });
});

describe('commands that need no proxy', () => {
  let home: string;
  beforeAll(() => {
    home = mkdtempSync(path.join(os.tmpdir(), 'mtp-docs-'));
  });
  afterAll(() => rmSync(home, { recursive: true }));

  /** Lines of the documents that write nothing, so that they can be run as they stand. */
  const pure = written
    .map(({ line }) => takeApart(line))
    .filter(({ id, flags }) => id === 'config:test' || (id === 'secret:generate' && !flags.includes('update-env')))
    .filter(({ words }) => words.length > 2)
    .map(({ words }) => ({ words, expected: words[0] === 'secret' ? /^(ee|dd)?[0-9a-f]{32}/m : /./ }));

  test.each([
    { words: ['--version'], expected: /^mtp\/\d+\.\d+\.\d+ / },
    { words: ['--help'], expected: /COMMANDS/ },
    { words: ['secret', 'generate'], expected: /^ee[0-9a-f]{32,}$/m },
    { words: ['config', 'test'], expected: /./ },
    { words: ['config', 'list'], expected: /listen\.port/ },
    { words: ['config', 'schema'], expected: /2020-12/ },
    { words: ['config', 'export', '--env'], expected: /^$/ },
    { words: ['preferences'], expected: /qr/ },
    { words: ['user', 'list'], expected: /No users yet/ },
    { words: ['user', 'export'], expected: /^name,devices,/ },
    { words: ['usage'], expected: /^USER .*\nTOTAL .*\nNothing has been counted yet/ },
    { words: ['secret', 'list'], expected: /No secrets yet/ },
    { words: ['access', 'list'], expected: /No access rules yet/ },
    { words: ['access', 'feed', 'list'], expected: /No feeds yet/ },
    { words: ['access', 'check', '192.0.2.1'], expected: /is let in/ },
    { words: ['access', 'export'], expected: /^network,level,/ },
    { words: ['geo', 'list'], expected: /Nothing is said of countries/ },
    ...pure,
  ])('mtp $words succeeds and creates nothing', ({ words, expected }) => {
    const env = { ...process.env, MTP_HOME: path.join(home, 'none'), XDG_CONFIG_HOME: path.join(home, 'xdg') };
    const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/run.js', ...words], {
      cwd: ROOT,
      env,
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(EXIT.ok);
    expect(stdout).toMatch(expected);
    expect(existsSync(path.join(home, 'none'))).toBe(false);
  });
});

describe('commands about users, keys and networks', () => {
  let home: string;
  beforeAll(() => {
    home = mkdtempSync(path.join(os.tmpdir(), 'mtp-docs-'));
    const [, table = ''] = /^```csv\n([^]*?)^```/m.exec(read('docs/users.md')) ?? [];
    writeFileSync(path.join(home, 'users.csv'), table);
    writeFileSync(path.join(home, 'banned.txt'), '198.51.100.0/24 # old\n203.0.113.1 - 203.0.113.9\n');
    writeFileSync(path.join(home, 'friends.txt'), '203.0.113.77\n');
    writeFileSync(
      path.join(home, 'countries.mmdb'),
      countryDatabase({ '198.51.100.0/24': 'CN', '2001:db8::/32': 'DE' }),
    );
  });
  afterAll(() => rmSync(home, { recursive: true }));

  /** In the order of the pages: each finds what those before it left. */
  const lines = ['docs/users.md', 'docs/usage.md', 'docs/keyring.md', 'docs/access.md'].flatMap((page) =>
    written.filter((one) => one.page === page && read(page).includes(`\n${one.line}`)).map(({ line }) => line),
  );

  test('are found', () => {
    expect(lines.length).toBeGreaterThan(16);
  });

  test.each(lines)('%s', (line) => {
    const { words } = takeApart(line);
    const asks = words.some((word) => ['remove', 'reset', 'clear'].includes(word));
    const yes = asks && !words.includes('--yes') ? ['--yes'] : [];
    const { status, stderr } = spawnSync(process.execPath, [path.join(ROOT, 'bin/run.js'), ...words, ...yes], {
      cwd: home,
      env: { ...process.env, MTP_HOME: path.join(home, 'mtp') },
      encoding: 'utf8',
    });
    // Those who are there already are left out.
    expect(status, stderr).toBe(words.includes('--partial') ? EXIT.warnings : EXIT.ok);
  });
});

test('exit statuses are those of the code', () => {
  const rows = [...read('docs/exit-statuses.md').matchAll(/^\| (\d+) +\| `(\w+)`/gm)];
  expect(Object.fromEntries(rows.map(([, status, name]) => [name, Number(status)]))).toEqual(EXIT);
});

test('links between documents lead somewhere', () => {
  const links = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map(([, to = '']) => path.join(path.dirname(page), to)),
  );
  expect(links).toContain('docs/running.md');
  expect(links.filter((to) => !existsSync(path.join(ROOT, to)))).toEqual([]);
});

test('every decision is in the index', () => {
  const records = files('docs/decisions/[0-9]*.md').map((file) => path.basename(file));
  const listed = [...read('docs/decisions/README.md').matchAll(/\]\(([^)]+)\)/g)].map(([, to]) => to);
  expect(listed.toSorted()).toEqual(records.toSorted());
});

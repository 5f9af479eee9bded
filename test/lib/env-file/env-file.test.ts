import fc from 'fast-check';
import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setEnvValue } from '../../../src/lib/env-file/edit.ts';
import { parseEnv } from '../../../src/lib/env-file/parse.ts';
import { updateEnvFile } from '../../../src/lib/env-file/update.ts';

function values(text: string): Record<string, string> {
  return Object.fromEntries(parseEnv(text).entries.map(({ key, value }) => [key, value]));
}

describe('parseEnv', () => {
  it.each([
    ['A=1', { A: '1' }],
    ['export A=1', { A: '1' }],
    ['A = 1', { A: '1' }],
    ['A=', { A: '' }],
    ['A=b=c==', { A: 'b=c==' }],
    ['A=x # why', { A: 'x' }],
    ['A=# why', { A: '' }],
    ['A=x#y', { A: 'x#y' }],
    ["A='x # y'", { A: 'x # y' }],
    ['A="x # y" # z', { A: 'x # y' }],
    ['A="a\\nb\\"\\\\\\$c"', { A: 'a\nb"\\$c' }],
    ['A="two\nlines"\nB=2', { A: 'two\nlines', B: '2' }],
    ['A="open\nB=2', { A: '"open', B: '2' }],
    ['A=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ["A='1'\r", { A: '1' }],
    ['\uFEFFA=1', { A: '1' }],
    ['# A=1\n\n  # x\nB=2', { B: '2' }],
    ['A=1\nA=2', { A: '2' }],
  ])('reads %j', (text, expected) => {
    expect(values(text)).toEqual(expected);
  });

  it('names the lines that it cannot read', () => {
    expect(parseEnv('A=1\nnonsense\n\n# x\r\n=1\nB="a\nb"\n1C=2').oddities).toEqual([
      { line: 2 },
      { line: 5 },
      { line: 8 },
    ]);
  });

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'A=\'"#\\\n\r \u00e9x') }), (text) => {
        for (const { start, end } of parseEnv(text).entries) expect(start).toBeLessThanOrEqual(end);
      }),
    );
  });
});

describe('setEnvValue', () => {
  it.each([
    ['keeps the comment', 'A=1 # one\n', 'A=2 # one\n'],
    ['keeps single quotes', "A='1'\n", "A='2'\n"],
    ['keeps double quotes', 'A="1"\n', 'A="2"\n'],
    ['keeps CRLF', 'X=0\r\nA=1\r\nB=3\r\n', 'X=0\r\nA=2\r\nB=3\r\n'],
    ['keeps export and spaces', '  export A = 1\n', '  export A = 2\n'],
    ['keeps a missing final newline', 'A=1', 'A=2'],
    ['fills an empty value', 'A=\nB=1\n', 'A=2\nB=1\n'],
    ['fills an empty value before a comment', 'A= # what\n', 'A= 2 # what\n'],
    ['sets every one of the same keys', 'A=1\nB=3\nA=4\n', 'A=2\nB=3\nA=2\n'],
    ['adds a missing key', 'B=3\n', 'B=3\nA=2\n'],
    ['ends the last line before it adds', 'B=3', 'B=3\nA=2\n'],
    ['adds with the line ends of the file', 'B=3\r\nC=4', 'B=3\r\nC=4\r\nA=2\r\n'],
    ['starts an empty file', '', 'A=2\n'],
    ['leaves comments that look alike', '# A=1\nAA=1\n', '# A=1\nAA=1\nA=2\n'],
  ])('%s', (_, before, after) => {
    expect(setEnvValue(before, 'A', '2')).toBe(after);
  });

  const value = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'ab=#\'"\\$` \n\r\té') }),
    fc.stringMatching(/^[0-9a-f]{32}$/),
  );
  const line = fc.oneof(
    fc.constantFrom('', '# note', '  # A=1', 'junk line'),
    fc
      .tuple(fc.constantFrom('A', 'B', 'export C'), fc.constantFrom('x', "'x y'", '"x\\ny"', '', 'a=b#c'))
      .map((pair) => pair.join('=')),
    fc
      .tuple(fc.constantFrom('A', 'B', 'C'), fc.constantFrom('', 'x', "'q'", '"q"'))
      .map((pair) => `${pair.join('=')} # why`),
  );
  const file = fc
    .tuple(fc.array(line), fc.constantFrom('\n', '\r\n'), fc.boolean())
    .map(([lines, end, last]) => lines.join(end) + (last && lines.length > 0 ? end : ''));

  it('reads back what it wrote, keeps the rest, and is idempotent', () => {
    fc.assert(
      fc.property(file, value, (before, wanted) => {
        const after = setEnvValue(before, 'A', wanted);
        expect(values(after)).toEqual({ ...values(before), A: wanted });
        expect(setEnvValue(after, 'A', wanted)).toBe(after);
        const others = (text: string) => text.split(/\r?\n/).filter((row) => row !== '' && !/^A=/.test(row));
        expect(others(after)).toEqual(others(before));
        const notes = (text: string) => text.match(/# (note|A=1|why)/g)?.length ?? 0;
        expect(notes(after)).toBe(notes(before) + (/# (note|A=1|why)/.exec(wanted) ? 1 : 0));
      }),
    );
  });
});

describe('updateEnvFile', () => {
  let dir: string;
  beforeEach(async () => (dir = await mkdtemp(path.join(os.tmpdir(), 'env-file-'))));
  afterEach(async () => rm(dir, { recursive: true }));
  const now = () => new Date('2026-01-31T12:00:00.123Z');

  it('keeps the mode of the file and a private copy of what it was', async () => {
    const file = path.join(dir, '.env');
    await writeFile(file, 'A=1\nB=2\n');
    await chmod(file, 0o640);
    const backup = `${file}.bak-20260131T120000Z`;
    await expect(updateEnvFile(file, 'A', '9', now)).resolves.toEqual({ changed: true, backup });
    expect(await readFile(file, 'utf8')).toBe('A=9\nB=2\n');
    expect(await readFile(backup, 'utf8')).toBe('A=1\nB=2\n');
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect((await stat(backup)).mode & 0o777).toBe(0o600);
    await expect(updateEnvFile(file, 'A', '8', now)).resolves.toEqual({ changed: true, backup: `${backup}-2` });
    expect(await readFile(backup, 'utf8')).toBe('A=1\nB=2\n');
  });

  it('does nothing when the value is already there', async () => {
    const file = path.join(dir, '.env');
    await writeFile(file, "A='1'\n");
    await expect(updateEnvFile(file, 'A', '1')).resolves.toEqual({ changed: false, backup: null });
    expect(await readdir(dir)).toEqual(['.env']);
  });

  it('creates a private file', async () => {
    const file = path.join(dir, '.env');
    await expect(updateEnvFile(file, 'A', '1')).resolves.toEqual({ changed: true, backup: null });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('follows a link and leaves it one', async () => {
    await writeFile(path.join(dir, 'real'), 'A=1\n');
    const link = path.join(dir, '.env');
    await symlink('real', link);
    await updateEnvFile(link, 'A', '2', now);
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readFile(path.join(dir, 'real'), 'utf8')).toBe('A=2\n');
  });

  it('leaves a file alone in which a quote left open would swallow the new value', async () => {
    const file = path.join(dir, '.env');
    const text = "A=1\nB='\nA='1'\n";
    await writeFile(file, text);
    await expect(updateEnvFile(file, 'A', '#')).rejects.toThrow('reads back the same');
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('leaves a file alone that it cannot read', async () => {
    const file = path.join(dir, '.env');
    await writeFile(file, Buffer.from([0x41, 0x3d, 0xff]));
    await expect(updateEnvFile(file, 'A', '2')).rejects.toThrow(`cannot read ${file}: it is not UTF-8 text`);
    await expect(updateEnvFile(dir, 'A', '2')).rejects.toThrow('it is a directory');
    await expect(updateEnvFile(path.join(dir, 'no', '.env'), 'A', '2')).rejects.toThrow('no such file or directory');
    expect(await readFile(file)).toEqual(Buffer.from([0x41, 0x3d, 0xff]));
  });
});

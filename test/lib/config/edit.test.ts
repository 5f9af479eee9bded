import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editToml } from '../../../src/lib/config/edit.ts';
import { formatKey, formatValue, parseToml } from '../../../src/lib/config/toml.ts';

const PORT = ['listen', 'port'];

function read(text: string): Map<string, unknown> {
  const parsed = parseToml(text);
  if (!parsed.ok) throw new Error(`${parsed.message} in ${JSON.stringify(text)}`);
  return new Map(parsed.document.entries.map(({ path, value }) => [formatKey(path), value]));
}

describe('setting a key', () => {
  it.each([
    ['replaces only the value', '[listen]\nport  =  443 # mine\n', '[listen]\nport  =  8443 # mine\n'],
    ['keeps CRLF', '[listen]\r\nport = 443\r\n', '[listen]\r\nport = 8443\r\n'],
    ['finds a dotted key', 'listen.port = 443\n', 'listen.port = 8443\n'],
    ['finds a quoted key', '"listen"."port" = 443\n', '"listen"."port" = 8443\n'],
    ['finds it in an inline table', 'listen = { port = 443 } # x\n', 'listen = { port = 8443 } # x\n'],
    ['keeps a byte order mark', '\uFEFF[listen]\nport = 1\n', '\uFEFF[listen]\nport = 8443\n'],
    [
      'adds at the end of its table',
      '[listen]\n  host = "::" # all\n# tail\n\n[log]\n',
      '[listen]\n  host = "::" # all\n  port = 8443\n# tail\n\n[log]\n',
    ],
    ['adds to an empty table', '[listen] # x\n[log]\n', '[listen] # x\nport = 8443\n[log]\n'],
    ['ends the last line first', '[listen]\nhost = "::"', '[listen]\nhost = "::"\nport = 8443\n'],
    ['ends a lone header first', '[listen]', '[listen]\nport = 8443\n'],
    ['adds with the line ends of the file', '[listen]\r\nhost = "::"', '[listen]\r\nhost = "::"\r\nport = 8443\r\n'],
    ['adds to an inline table', 'listen = { host = "::" }\n', 'listen = { host = "::", port = 8443 }\n'],
    ['adds to an empty inline table', 'listen = {}\n', 'listen = { port = 8443 }\n'],
    [
      'adds a dotted key beside dotted keys',
      'listen.host = "::"\nlog.level = "info"\n',
      'listen.host = "::"\nlisten.port = 8443\nlog.level = "info"\n',
    ],
    ['adds a table at the end', '[log]\nlevel = "info"', '[log]\nlevel = "info"\n\n[listen]\nport = 8443\n'],
    ['adds a table with CRLF', '[log]\r\n', '[log]\r\n\r\n[listen]\r\nport = 8443\r\n'],
    ['starts an empty document', '', '[listen]\nport = 8443\n'],
    ['leaves what it cannot read', '[listen\n', '[listen\n'],
  ])('%s', (_, before, after) => {
    expect(editToml(before, PORT, 8443)).toBe(after);
  });

  it.each([
    [
      'a table inside an inline one',
      'telegram = { prefer = "ipv4" }\n',
      'telegram = { prefer = "ipv4", dc.2 = ["x"] }\n',
    ],
    ['an inline table inside a table', '[telegram]\ndc = { 1 = [] }\n', '[telegram]\ndc = { 1 = [], 2 = ["x"] }\n'],
    ['dotted keys inside a table', '[telegram]\ndc.1 = []\n', '[telegram]\ndc.1 = []\ndc.2 = ["x"]\n'],
    [
      'a table of its own',
      '[telegram]\nprefer = "ipv4"\n',
      '[telegram]\nprefer = "ipv4"\n\n[telegram.dc]\n2 = ["x"]\n',
    ],
  ])('puts a DC into %s', (_, before, after) => {
    expect(editToml(before, ['telegram', 'dc', '2'], ['x'])).toBe(after);
  });

  it('keeps single quotes where the value allows it', () => {
    expect(editToml("log.level = 'info'\n", ['log', 'level'], 'warn')).toBe("log.level = 'warn'\n");
    expect(editToml("log.level = 'info'\n", ['log', 'level'], "it's")).toBe('log.level = "it\'s"\n');
  });
});

describe('unsetting a key', () => {
  it.each([
    ['takes the line', '[listen]\nhost = "::"\nport = 1 # x\n# y\n', '[listen]\nhost = "::"\n# y\n'],
    ['takes a last line without an end', '[listen]\nport = 1', '[listen]\n'],
    ['takes a value of several lines', 'listen.port = [\n 1, # x\n]\nlog.level = "x"\n', 'log.level = "x"\n'],
    ['takes the first of an inline table', 'listen = { port = 1, host = "x" }\n', 'listen = { host = "x" }\n'],
    ['takes the last of an inline table', 'listen = { host = "x", port = 1 }\n', 'listen = { host = "x" }\n'],
    ['leaves a document without it', '[listen]\nhost = "::"\n', '[listen]\nhost = "::"\n'],
  ])('%s', (_, before, after) => {
    expect(editToml(before, PORT, undefined)).toBe(after);
  });
});

describe('any document', () => {
  const value = fc.oneof(fc.string({ unit: fc.constantFrom(...'ab"\'\\\n\t\u007f#é]}') }), fc.integer(), fc.boolean());
  const anyValue = fc.oneof(value, fc.array(value, { maxLength: 3 }));
  const names = fc.constantFrom('a', 'b', 'c d', '#');
  /** A table in one of the ways of writing it down; each key once, comments all over. */
  const table = fc.tuple(
    fc.constantFrom('header', 'inline', 'dotted'),
    fc.uniqueArray(fc.tuple(names, anyValue), { selector: ([name]) => name, maxLength: 3 }),
  );
  const document = fc
    .tuple(fc.dictionary(fc.constantFrom('t', 'u', 'v w'), table), fc.constantFrom('\n', '\r\n'), fc.boolean())
    .map(([tables, end, last]) => {
      let comments = 0;
      const note = () => `# note ${comments++}`;
      const pair = (path: string[], content: unknown) => `${formatKey(path)} = ${formatValue(content)}`;
      const parts = Object.entries(tables).map(([name, [style, body]]) => {
        if (style === 'inline') {
          return {
            top: true,
            lines: [`${formatKey([name])} = { ${body.map(([key, v]) => pair([key], v)).join(', ')} } ${note()}`],
          };
        }
        const dotted = style === 'dotted';
        const rows = body.map(([key, v]) => [`${pair(dotted ? [name, key] : [key], v)} ${note()}`, note()]).flat();
        return { top: dotted, lines: dotted ? rows : [`[${formatKey([name])}] ${note()}`, ...rows, ''] };
      });
      const lines = [...parts.filter(({ top }) => top), ...parts.filter(({ top }) => !top)].flatMap(
        (part) => part.lines,
      );
      return lines.join(end) + (last && lines.length > 0 ? end : '');
    });
  const target = fc.tuple(fc.constantFrom('t', 'u', 'v w'), names);
  const notes = (text: string): string[] => text.match(/# note \d+/g) ?? [];

  it('keeps everything but the key that is set', () => {
    fc.assert(
      fc.property(document, target, anyValue, (before, path, wanted) => {
        const after = editToml(before, path, wanted);
        const expected = read(before).set(formatKey(path), wanted);
        // An empty inline table counts as an entry until something is in it.
        expected.delete(formatKey(path.slice(0, 1)));
        const got = read(after);
        got.delete(formatKey(path.slice(0, 1)));
        expect(Object.fromEntries(got)).toEqual(Object.fromEntries(expected));
        expect(notes(after)).toEqual(notes(before));
        expect(after.replaceAll('\r\n', '').includes('\n')).toBe(after.includes('\n') && !after.includes('\r\n'));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps everything but the key that is unset', () => {
    fc.assert(
      fc.property(document, target, (before, path) => {
        const after = editToml(before, path, undefined);
        const [expected, got] = [read(before), read(after)];
        const had = expected.delete(formatKey(path));
        got.delete(formatKey(path.slice(0, 1)));
        expected.delete(formatKey(path.slice(0, 1)));
        expect(Object.fromEntries(got)).toEqual(Object.fromEntries(expected));
        const lost = notes(before).filter((note) => !notes(after).includes(note));
        expect(lost.length).toBeLessThanOrEqual(had ? 1 : 0);
      }),
      { numRuns: 300 },
    );
  });
});

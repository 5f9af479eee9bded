import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatEndpoint, isHostName, parseCidr, parseEndpoint, parseSocks5 } from '../../../src/lib/config/address.ts';
import { diffLines, formatDiff } from '../../../src/lib/config/diff.ts';
import { formatDuration, parseDuration } from '../../../src/lib/config/duration.ts';
import { goDuration } from '../../../src/lib/config/import-rules.ts';
import { domainOfSecret } from '../../../src/lib/config/import-secret.ts';
import { maskSecrets } from '../../../src/lib/config/mask.ts';
import { editDistance, nearest } from '../../../src/lib/config/nearest.ts';
import { formatValue, parseToml } from '../../../src/lib/config/toml.ts';

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['0s', 0],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '5', 's', '-1s', '1.5s', '1 s', '1s ', '1d', '1h30m', '1e3s', '٣s', '1S', '999999999999h'])(
    '%j is none',
    (text) => expect(parseDuration(text)).toBeUndefined(),
  );

  it('come back from text as they were', () => {
    fc.assert(
      fc.property(fc.nat(), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });

  it.each([
    ['1m30s', '90s'],
    ['1.5h', '90m'],
    ['5s', '5s'],
    ['', undefined],
    ['1d', undefined],
  ])('of Go, %j is %j', (text, ours) => expect(goDuration(text)).toBe(ours));
});

describe('addresses', () => {
  it.each(['a.example', 'localhost', 'xn--bcher-kva.example', '1.example', 'a_b.example'])(
    '%s is a host name',
    (name) => expect(isHostName(name)).toBe(true),
  );
  it.each([
    '',
    '.',
    'a..b',
    '-a.example',
    'a-.example',
    'bücher.example',
    '1.2.3.4',
    'a.1',
    'a b',
    `${'a'.repeat(64)}.b`,
  ])('%j is no host name', (name) => expect(isHostName(name)).toBe(false));
  it.each(['host', 'host:', 'host:0', 'host:65536', '::1:443', '[1.2.3.4]:1', '[::1]', ':443', 'a b:1', '1.2.3.999:4'])(
    '%j is no endpoint',
    (text) => expect(parseEndpoint(text)).toBeUndefined(),
  );

  it('endpoints come back from text as they were', () => {
    const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), (name, port) => {
        expect(parseEndpoint(formatEndpoint({ host: name, port }))).toEqual({ host: name, port });
      }),
    );
  });

  it.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.0.0.1', '10.0.0.1/32'],
    ['::1', '::1/128'],
    ['fd00::/8', 'fd00::/8'],
    ['10.0.0.0/33', undefined],
    ['10.0.0.0/', undefined],
    ['10.0.0.0/8/8', undefined],
    ['fe80::1%eth0', undefined],
    ['host/8', undefined],
  ])('%s as a block is %s', (text, cidr) => expect(parseCidr(text)).toBe(cidr));

  it('SOCKS5 URLs come back taken apart', () => {
    const credential = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(credential, credential, fc.domain(), (username, password, host) => {
        const url = `socks5://${encodeURIComponent(username)}:${encodeURIComponent(password)}@${host}:1080`;
        expect(parseSocks5(url)).toEqual({ host, port: 1080, username, password });
        expect(maskSecrets(`a = "${url}"`)).toBe(`a = "socks5://${encodeURIComponent(username)}:***@${host}:1080"`);
      }),
    );
    expect(parseSocks5('socks5://[::1]:1080')).toEqual({ host: '::1', port: 1080 });
  });

  it.each(['socks5://a:1/x', 'http://a:1', 'socks5://u@a:1', 'socks5://:p@a:1', 'socks5://u:%ff@a:1', 'socks5://a'])(
    '%s is no SOCKS5 URL',
    (url) => expect(parseSocks5(url)).toBeUndefined(),
  );
});

it('every parser takes any text', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'socks5:/@[]1.a%') }));
  fc.assert(
    fc.property(text, (any) => {
      for (const parse of [parseDuration, goDuration, parseEndpoint, parseCidr, parseSocks5, domainOfSecret])
        parse(any);
      const endpoint = parseEndpoint(any);
      if (endpoint !== undefined) expect(endpoint.port).toBeGreaterThan(0);
    }),
  );
});

describe('TOML', () => {
  it('reads a formatted value back', () => {
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.boolean());
    fc.assert(
      fc.property(fc.oneof(value, fc.array(value)), (wanted) => {
        const parsed = parseToml(`a = ${formatValue(wanted)}`);
        expect(parsed.ok && parsed.document.entries[0]?.value).toEqual(wanted);
      }),
    );
  });

  it('takes any text, and says where it ends to make sense', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'a.=[]{}"\'\\\n\r#1, \u0000é') }), (text) => {
        const parsed = parseToml(text);
        if (!parsed.ok) expect(parsed.at.line).toBeLessThanOrEqual(text.split('\n').length);
      }),
    );
  });
});

describe('nearest word', () => {
  it('is the one that was meant', () => {
    expect(nearest('listen.prt', ['link.port', 'listen.port'])).toBe('listen.port');
    expect(nearest('zzzzzz', ['link.port', 'listen.port'])).toBeUndefined();
  });

  it('is measured alike in both directions, and 0 only for the same word', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
      }),
    );
  });
});

describe('difference of two texts', () => {
  it('holds the changed lines with their numbers', () => {
    const lines = diffLines('a\nb\nc\nd\n', 'a\nB\nc\nx\nd\n');
    expect(formatDiff(lines)).toEqual(['2 - b', '2 + B', '4 + x']);
  });

  it('turns the one into the other', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', '')).map((lines) => lines.map((line) => `${line}\n`).join(''));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const diff = diffLines(before, after);
        const gone = new Set(diff.filter(({ sign }) => sign === '-').map(({ line }) => line));
        const lines = before
          .split('\n')
          .slice(0, -1)
          .filter((_, index) => !gone.has(index + 1));
        for (const { sign, line, text: row } of diff) if (sign === '+') lines.splice(line - 1, 0, row);
        expect(lines.map((line) => `${line}\n`).join('')).toBe(after);
      }),
    );
  });
});

describe('site in a secret', () => {
  const key = '00112233445566778899aabbccddeeff';
  it.each([
    [`ee${key}${Buffer.from('a.example').toString('hex')}`, 'a.example'],
    [Buffer.from(`ee${key}${Buffer.from('a.example').toString('hex')}`, 'hex').toString('base64url'), 'a.example'],
    [key, undefined],
    [`dd${key}`, undefined],
    [`ee${key}`, undefined],
    [`ee${key}ff00`, undefined],
    ['', undefined],
  ])('%s names %s', (secret, domain) => expect(domainOfSecret(secret)).toBe(domain));
});

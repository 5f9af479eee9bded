import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MtpError } from '../../../src/lib/errors.ts';
import { formatLinks, parseLink } from '../../../src/lib/link/link.ts';
import { parseSecret } from '../../../src/lib/secret/secret.ts';

const HEX = 'dd00112233445566778899aabbccddeeff';
const secret = parseSecret(HEX);

describe('formatLinks', () => {
  test('writes both forms', () => {
    expect(formatLinks({ server: 'proxy.example.com', port: 443, secret })).toEqual({
      tg: `tg://proxy?server=proxy.example.com&port=443&secret=${HEX}`,
      https: `https://t.me/proxy?server=proxy.example.com&port=443&secret=${HEX}`,
      warnings: [],
    });
  });

  test('encodes a bare IPv6 address and warns about it', () => {
    const links = formatLinks({ server: '2001:db8::1', port: 8443, secret });
    expect(links.tg).toContain('server=2001%3Adb8%3A%3A1&');
    expect(links.warnings).toEqual([expect.stringContaining('IPv6')]);
  });

  test.each([
    ['', 443],
    ['a b', 443],
    ['example.com/x', 443],
    ['example.com:443', 443],
    ['x'.repeat(256), 443],
    ['example.com', 0],
    ['example.com', 65_536],
    ['example.com', 1.5],
  ])('refuses server %j with port %j', (server, port) => {
    expect(() => formatLinks({ server, port, secret })).toThrow(MtpError);
  });
});

describe('parseLink', () => {
  test.each([
    `tg://proxy?server=h.example&port=443&secret=${HEX}`,
    `tg:proxy?server=h.example&port=443&secret=${HEX}`,
    `https://t.me/proxy?server=h.example&port=443&secret=${HEX}`,
    `https://telegram.me/proxy?port=443&secret=${HEX}&server=h.example`,
    `t.me/proxy?server=h.example&port=443&secret=${HEX}#remark`,
    ' tg://proxy?server=h.example&port=443&secret=3QARIjNEVWZ3iJmqu8zd7v8%3D\n',
  ])('reads %s', (link) => {
    expect(parseLink(link)).toEqual({ server: 'h.example', port: 443, secret });
  });

  test('keeps the plus signs of plain base64', () => {
    const plus = `${'+'.repeat(20)}w=`;
    expect(parseLink(`tg://proxy?server=h&port=1&secret=+${plus}`).secret.key.toString('base64')).toContain('+++');
  });

  test.each([
    ['another link', 'https://t.me/socks?server=a&port=1', /not a proxy link/],
    ['another host', `https://t.me.evil.example/proxy?server=a&port=1&secret=${HEX}`, /not a proxy link/],
    ['no secret', 'tg://proxy?server=a&port=1', /no secret/],
    ['no server', `tg://proxy?port=1&secret=${HEX}`, /no server/],
    ['a port that is not decimal', `tg://proxy?server=a&port=0x1&secret=${HEX}`, /port/],
    ['a broken secret', 'tg://proxy?server=a&port=1&secret=zz', /not a secret/],
  ])('refuses %s', (_, link, message) => {
    expect(() => parseLink(link)).toThrow(message);
  });

  test('gives back what any link was made of', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()),
        fc.integer({ min: 1, max: 65_535 }),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (server, port, bytes) => {
          const address = { server, port, secret: { mode: 'plain' as const, key: Buffer.from(bytes) } };
          const { tg, https } = formatLinks(address);
          expect(parseLink(tg)).toEqual(address);
          expect(parseLink(https)).toEqual(address);
        },
      ),
    );
  });

  test('refuses any other text with an error of ours', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom('', 'tg://proxy?', 'tg://proxy?server=a&port=1&secret='),
        (text, head) => {
          try {
            parseLink(head + text);
          } catch (error) {
            expect(error).toBeInstanceOf(MtpError);
          }
        },
      ),
    );
  });
});

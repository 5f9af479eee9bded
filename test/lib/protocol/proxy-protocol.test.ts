import net from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ipFamily, ipv6Words } from '../../../src/lib/protocol/ip-address.ts';
import { readProxyHeader, writeProxyHeader } from '../../../src/lib/protocol/proxy-protocol.ts';

const ports = fc.integer({ min: 0, max: 65_535 });
const peers = fc.oneof(
  fc.tuple(fc.record({ host: fc.ipV4(), port: ports }), fc.record({ host: fc.ipV4(), port: ports })),
  fc.tuple(fc.record({ host: fc.ipV6(), port: ports }), fc.record({ host: fc.ipV6(), port: ports })),
);

test('what is written is read back, in both versions and any family', () => {
  fc.assert(
    fc.property(fc.constantFrom('v1' as const, 'v2' as const), peers, (version, [source, destination]) => {
      const header = writeProxyHeader(version, source, destination);
      const read = readProxyHeader(Buffer.concat([header, Buffer.from('\x16\x03\x01')]));
      expect(read).toMatchObject({ state: 'complete', consumed: header.length });
      const peer = read.state === 'complete' ? read.peer : null;
      expect(peer?.port).toBe(source.port);
      expect(words(peer?.host)).toEqual(words(source.host));
      for (let end = 0; end < header.length; end++) {
        expect(readProxyHeader(header.subarray(0, end)).state).toBe('incomplete');
      }
    }),
  );
});

test.each([
  ['another protocol', 'GET / HTTP/1.1\r\n\r\n'],
  ['a family that does not fit', 'PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n'],
  ['an address with a leading zero', 'PROXY TCP4 05.6.4.4 192.0.2.2 1 2\r\n'],
  ['a port out of range', 'PROXY TCP4 192.0.2.1 192.0.2.2 70000 2\r\n'],
  ['no destination', 'PROXY TCP6 2001:db8::1  25700 443\r\n'],
  ['a port of the destination that is none', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 x\r\n'],
  ['missing fields', 'PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n'],
  ['too many fields', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n'],
  ['a line without end', `PROXY TCP4 ${'1'.repeat(120)}`],
  ['an unknown command', '\r\n\r\n\0\r\nQUIT\n\x22\x11\x00\x0c'.padEnd(28, '\0')],
  ['a length that nobody needs', '\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff'],
  ['too short a block', '\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x02\0\0'],
])('%s is invalid', (_, text) => {
  expect(readProxyHeader(Buffer.from(text, 'latin1')).state).toBe('invalid');
});

test('an IPv6 address with an IPv4 tail fits into a v1 line', () => {
  const peer = { host: '42d:82c:c118:2552:929b:fe08:242.113.183.180', port: 25_700 };
  const header = writeProxyHeader('v1', peer, peer);
  expect(header.length).toBeLessThanOrEqual(107);
  expect(readProxyHeader(header)).toMatchObject({
    state: 'complete',
    peer: { host: '42d:82c:c118:2552:929b:fe08:f271:b7b4', port: 25_700 },
  });
});

test.each(['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN anything goes\r\n', '\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00'])(
  'a header that names nobody leaves the socket its peer',
  (text) => {
    expect(readProxyHeader(Buffer.from(text, 'latin1'))).toEqual({
      state: 'complete',
      peer: null,
      consumed: text.length,
    });
  },
);

test('no bytes make it throw', () => {
  const prefixes = ['', 'PROXY ', 'PROXY TCP4 ', '\r\n\r\n\0\r\nQUIT\n'].map((text) => Buffer.from(text, 'latin1'));
  fc.assert(
    fc.property(fc.constantFrom(...prefixes), fc.uint8Array({ maxLength: 300 }), (prefix, bytes) => {
      expect(['incomplete', 'invalid', 'complete']).toContain(readProxyHeader(Buffer.concat([prefix, bytes])).state);
    }),
    { numRuns: 2000 },
  );
});

test('addresses are told apart as Node does', () => {
  const texts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{0,20}$/), fc.domain());
  fc.assert(
    fc.property(texts, (text) => {
      expect(ipFamily(text)).toBe(net.isIP(text));
    }),
    { numRuns: 3000 },
  );
});

/** The words of an address by way of the URL parser, which is not ours. */
function words(host: string | undefined): unknown {
  if (host === undefined || !host.includes(':')) return host;
  return ipv6Words(new URL(`http://[${host}]/`).hostname.slice(1, -1));
}

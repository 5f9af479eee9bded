import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { looksReserved, makeHeader, openHeader } from '../../../src/lib/protocol/obfuscated2.ts';
import { bothWays } from '../../support/accelerator.ts';

const secrets = fc.uint8Array({ minLength: 16, maxLength: 16 });
const transports = fc.constantFrom('abridged' as const, 'intermediate' as const, 'padded' as const);
const dcs = fc.integer({ min: -10_005, max: 10_005 });

bothWays(() => {
  test('a header opens with the secret that made it, and both streams run', () => {
    fc.assert(
      fc.property(secrets, transports, dcs, (secret, transport, dc) => {
        const made = makeHeader({ transport, dc, random: randomBytes, secret });
        const opened = openHeader(made.wire, secret);
        expect(opened).toMatchObject({ transport, dc });
        const up = Buffer.from('client to proxy');
        expect(opened?.up.apply(made.up.apply(Buffer.from(up)))).toEqual(up);
        const down = Buffer.from('proxy to client');
        expect(made.down.apply(opened?.down.apply(Buffer.from(down)) ?? Buffer.alloc(0))).toEqual(down);
        const other = Buffer.from(secret).map((byte) => byte ^ 1);
        expect(openHeader(made.wire, other)).toBeNull();
      }),
    );
  });
});

test.each(['HEAD', 'POST', 'GET ', 'OPTI', 'PUT ', '\xdd\xdd\xdd\xdd', '\xee\xee\xee\xee', '\x16\x03\x01\x02', '\xef'])(
  'a header never begins as %j',
  (start) => {
    const reserved = Buffer.concat([Buffer.from(start, 'latin1'), randomBytes(64)]).subarray(0, 64);
    const draws = [reserved, randomBytes(64).fill(0, 4, 8), randomBytes(64).fill(1, 0, 8)];
    let drawn = 0;
    const random = (): Buffer => draws[Math.min(drawn++, 2)] ?? Buffer.alloc(64);
    const { wire } = makeHeader({ transport: 'padded', dc: 2, random, secret: null });
    expect(looksReserved(reserved)).toBe(true);
    expect(drawn).toBe(3);
    expect(looksReserved(wire)).toBe(false);
  },
);

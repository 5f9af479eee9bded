import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildClientHello, mlKemShare, signClientHello } from '../../../src/lib/probe/client-hello.ts';
import { answersPq, ANSWER_BYTES } from '../../../src/lib/probe/res-pq.ts';
import { readServerHello } from '../../../src/lib/probe/server-hello.ts';
import { authenticate, readHello } from '../../../src/lib/protocol/client-hello.ts';
import { X25519, X25519_MLKEM768 } from '../../../src/lib/protocol/server-flight.ts';

describe('client hello', () => {
  it('carries the domain and both key shares, at the size of a modern client', () => {
    const record = buildClientHello({ domain: 'www.example.org', random: randomBytes });
    const hello = readHello(record);
    expect(hello?.sni).toBe('www.example.org');
    expect(hello?.groups).toEqual(expect.arrayContaining([X25519, X25519_MLKEM768]));
    expect(hello?.ciphers.slice(1, 4)).toEqual([0x1301, 0x1302, 0x1303]);
    expect(record.length).toBeGreaterThan(1650);
    expect(record.length).toBeLessThan(1900);
  });
  it('signed with a secret it authenticates with that secret only', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat({ max: 0xffffffff }), (key, seconds) => {
        const signed = signClientHello(buildClientHello({ domain: 'a.test', random: randomBytes }), key, seconds);
        const hello = readHello(signed);
        expect(hello !== null && authenticate(hello, key)).toBe(seconds);
        expect(
          hello !== null &&
            authenticate(
              hello,
              key.map((byte) => byte ^ 1),
            ),
        ).toBeNull();
      }),
      { numRuns: 20 },
    );
  });
  it('the ML-KEM share holds coefficients below the modulus', () => {
    const share = mlKemShare(randomBytes);
    expect(share.length).toBe(1184);
    for (let at = 0; at < 1152; at += 3) {
      const pair = share.readUIntLE(at, 3);
      expect(pair & 0xfff).toBeLessThan(3329);
      expect(pair >> 12).toBeLessThan(3329);
    }
  });
});

describe('readers', () => {
  it('any bytes are a ServerHello or null, never a crash', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readServerHello(Buffer.from(bytes))));
    const start = Buffer.concat([Buffer.from([2, 0, 0, 90, 3, 3]), Buffer.alloc(32)]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (rest) => void readServerHello(Buffer.concat([start, rest]))),
    );
  });
  it('no random bytes pass for a resPQ', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: ANSWER_BYTES, maxLength: ANSWER_BYTES }), (bytes) => {
        expect(answersPq(Buffer.from(bytes), randomBytes(16))).toBe(false);
      }),
    );
  });
});

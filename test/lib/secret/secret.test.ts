import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MtpError } from '../../../src/lib/errors.ts';
import { coverDomainFault } from '../../../src/lib/secret/domain.ts';
import { formatSecret, generateSecret, parseSecret, type Secret } from '../../../src/lib/secret/secret.ts';

const HEX = '00112233445566778899aabbccddeeff';
const KEY = Buffer.from(HEX, 'hex');
const EE = `ee${HEX}6578616d706c652e636f6d`;

const keys = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes));
const secrets: fc.Arbitrary<Secret> = fc.oneof(
  fc.record({ mode: fc.constantFrom('plain' as const, 'dd' as const), key: keys }),
  fc.record({ mode: fc.constant('ee' as const), key: keys, domain: fc.domain().filter((name) => name.length <= 182) }),
);

describe('parseSecret', () => {
  test.each<[string, string, Secret]>([
    ['plain hex', HEX, { mode: 'plain', key: KEY }],
    ['dd hex', `dd${HEX}`, { mode: 'dd', key: KEY }],
    ['ee hex', EE, { mode: 'ee', key: KEY, domain: 'example.com' }],
    ['dd base64url', '3QARIjNEVWZ3iJmqu8zd7v8', { mode: 'dd', key: KEY }],
    ['ee base64url', '7gARIjNEVWZ3iJmqu8zd7v9leGFtcGxlLmNvbQ', { mode: 'ee', key: KEY, domain: 'example.com' }],
    ['padded base64', '7gARIjNEVWZ3iJmqu8zd7v9leGFtcGxlLmNvbQ==', { mode: 'ee', key: KEY, domain: 'example.com' }],
    ['upper case hex', `DD${HEX.toUpperCase()}`, { mode: 'dd', key: KEY }],
    ['hex with a line end', `${HEX}\n`, { mode: 'plain', key: KEY }],
  ])('reads %s', (_, text, secret) => {
    expect(parseSecret(text)).toEqual(secret);
  });

  test('reads 32 hex digits as hex although they are base64 too', () => {
    expect(parseSecret('abcdefabcdefabcdefabcdefabcdefab').key.toString('hex')).toBe(
      'abcdefabcdefabcdefabcdefabcdefab',
    );
  });

  test.each([
    ['nothing', ' ', /empty/],
    ['one digit lost', HEX.slice(1), /31 hex digits/],
    ['half a secret', HEX.slice(16), /16 hex digits/],
    ['17 bytes that start with neither', `ab${HEX}`, /neither dd nor ee/],
    ['ee without a domain', `ee${HEX}`, /needs a domain/],
    ['dd with a domain', `dd${HEX}6578616d706c652e636f6d`, /only ee takes a domain/],
    ['a domain of 183 bytes', `ee${HEX}${'61'.repeat(183)}`, /183 bytes; 182/],
    ['a domain with a space', `ee${HEX}612062`, /punycode/],
    ['an international domain', `ee${HEX}${Buffer.from('пример.рф').toString('hex')}`, /punycode/],
    ['a word', 'hunter2!', /neither hex nor base64/],
    ['a mix of both base64 alphabets', '3QARIjNEVWZ3iJmqu8zd-/8', /neither hex nor base64/],
    ['a secret with a space in it', `${HEX.slice(0, 16)} ${HEX.slice(16)}`, /neither hex nor base64/],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseSecret(text)).toThrow(message);
  });

  test('takes a domain of 182 bytes', () => {
    expect(parseSecret(`ee${HEX}${'61'.repeat(182)}`)).toMatchObject({ domain: 'a'.repeat(182) });
  });

  test('never quotes what it refuses', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12 }), (text) => {
        try {
          parseSecret(text);
        } catch (error) {
          expect(error).toBeInstanceOf(MtpError);
          expect((error as MtpError).message).not.toContain(text);
        }
      }),
    );
  });

  test('gives back any secret from its hex, its base64url and its base64', () => {
    fc.assert(
      fc.property(secrets, (secret) => {
        const hex = formatSecret(secret);
        const bytes = Buffer.from(hex, 'hex');
        for (const text of [hex, bytes.toString('base64url'), bytes.toString('base64')]) {
          expect(parseSecret(text)).toEqual(secret);
        }
      }),
    );
  });
});

describe('generateSecret', () => {
  const random = (bytes: number): Buffer => KEY.subarray(0, bytes);

  test('makes every mode from 16 random bytes', () => {
    expect(formatSecret(generateSecret('plain', '', random))).toBe(HEX);
    expect(formatSecret(generateSecret('dd', '', random))).toBe(`dd${HEX}`);
    expect(formatSecret(generateSecret('ee', 'example.com', random))).toBe(EE);
  });

  test.each([
    ['', 'empty'],
    ['a.b', 'shorter'],
    ['a'.repeat(183), 'longer'],
    ['192.0.2.1', 'address'],
    ['2001:db8::1', 'address'],
    ['example.com:443', 'host name'],
    ['https://example.com', 'host name'],
    ['-a.example', 'host name'],
    ['a..example', 'host name'],
    ['пример.рф', 'punycode'],
  ])('refuses %j as the domain of an ee secret', (domain, why) => {
    expect(coverDomainFault(domain)).toContain(why);
    expect(() => generateSecret('ee', domain, random)).toThrow(why);
  });
});

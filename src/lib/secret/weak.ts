import { EXIT, MtpError } from '../errors.ts';

/** Keys from the documentation and examples of proxies, which scanners try first. */
const PUBLISHED = new Set([
  '367a189aee18fa31c190054efd4a8e95',
  '473ce5d4958eb5f968c87680a23854a0',
  '0123456789abcdef0123456789abcd95',
  '00000000000000000000000000000001',
]);

/** Five distinct values in 16 random bytes happen less than once in 10^18 keys. */
const FEWEST_DISTINCT = 6;

/** Why a key is easy to guess, in words, or undefined. A key from a random source never is. */
export function weakness(key: Buffer): string | undefined {
  if (key.every((byte) => byte === 0)) return 'it is all zero';
  if (PUBLISHED.has(key.toString('hex'))) return 'it is a published example';
  if ([1, 2, 4, 8].some((period) => repeatsEvery(key, period))) return 'it repeats itself';
  if (isSequence(key)) return 'its bytes count up or down';
  if (new Set(key).size < FEWEST_DISTINCT) return 'it has very few different bytes';
  return undefined;
}

/** Refuse a key that somebody may guess; `allow` is the operator's explicit word. */
export function refuseWeak(key: Buffer, allow: boolean): void {
  const why = allow ? undefined : weakness(key);
  if (why === undefined) return;
  throw new MtpError('SECRET_WEAK', `this secret is weak: ${why}`, {
    exit: EXIT.usage,
    hint: 'Make one with "mtp secret generate", or on a machine for tests insist with --allow-weak.',
  });
}

function repeatsEvery(key: Buffer, period: number): boolean {
  return key.every((byte, at) => byte === key[at % period]);
}

function isSequence(key: Buffer): boolean {
  const step = difference(key, 1);
  return key.every((_, at) => at === 0 || difference(key, at) === step);
}

function difference(key: Buffer, at: number): number {
  return ((key[at] ?? 0) - (key[at - 1] ?? 0)) & 0xff;
}

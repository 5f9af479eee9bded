import { createCipheriv } from 'node:crypto';
import { expect, test } from 'vitest';
import { release } from '../../../src/lib/protocol/release.ts';

test('memory of its own is given back, a part of something larger is not', () => {
  const own = Buffer.allocUnsafeSlow(64 * 1024);
  const pooled = Buffer.from('in the pool of all small buffers');
  const half = Buffer.allocUnsafeSlow(64).subarray(32);
  for (const buffer of [own, pooled, half]) release(buffer);
  expect(own).toHaveLength(0);
  expect(pooled.toString()).toBe('in the pool of all small buffers');
  expect(half).toHaveLength(32);
});

test('what a cipher returns is memory of its own', () => {
  const cipher = createCipheriv('aes-256-ctr', Buffer.alloc(32), Buffer.alloc(16));
  const out = cipher.update(Buffer.alloc(16 * 1024));
  release(out);
  expect(out).toHaveLength(0);
});

import { Flags } from '@oclif/core';
import { readSpan } from './grace-flags.ts';

/** How long a ruling holds, and why. */
export const rulingFlags = {
  ttl: Flags.string({
    summary: 'How long it holds, such as 10m, 12h or 7d; until it is taken back if not given.',
    helpValue: 'SPAN',
  }),
  reason: Flags.string({ char: 'r', summary: 'Why, for whoever asks later.', helpValue: 'TEXT', default: '' }),
};

/** When a ruling that is made now ends, Unix ms; null is never. */
export function readEnd({ ttl }: { ttl?: string | undefined }, now: number): number | null {
  return ttl === undefined ? null : now + readSpan('--ttl', ttl);
}

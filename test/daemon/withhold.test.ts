import { describe, expect, it } from 'vitest';
import { withholdLost } from '../../src/daemon/withhold.ts';
import type { User, UserSecret } from '../../src/lib/users/user.ts';
import { user } from '../support/users.ts';

const bob = user('bob', 'k');
const [secret] = bob.secrets as [UserSecret];

describe('what is restored after a change that did not hold', () => {
  it('is what was, where nothing was taken away', () => {
    const fresh = { ...secret, id: 'new', key: 'n' };
    const retiring = { ...secret, state: 'retiring' as const, retiringUntil: 5 };
    expect(withholdLost([bob], [{ ...bob, notes: 'x', secrets: [retiring, fresh] }, user('amy', 'a')])).toEqual([bob]);
  });
  it.each<[string, User[], Partial<User>[]]>([
    ['a removed user', [], []],
    ['a disabled user', [{ ...bob, enabled: false }], [{ enabled: false }]],
    ['an earlier end', [{ ...bob, expiresAt: 7 }], [{ expiresAt: 7 }]],
    ['a removed secret', [{ ...bob, secrets: [] }], [{ secrets: [] }]],
    [
      'a closed secret',
      [{ ...bob, secrets: [{ ...secret, state: 'draining' }] }],
      [{ secrets: [{ ...secret, state: 'draining' }] }],
    ],
    [
      'a revoked secret',
      [{ ...bob, secrets: [{ ...secret, state: 'revoked' }] }],
      [{ secrets: [{ ...secret, state: 'revoked' }] }],
    ],
  ])('leaves %s as it became', (_, after, expected) => {
    expect(withholdLost([bob], after)).toEqual(expected.map((change) => ({ ...bob, ...change })));
  });
});

import { NO_LIMITS, type User } from '../../src/lib/users/user.ts';

/** A user without limits who has one active secret. */
export function user(name: string, key: string): User {
  return {
    id: `id of ${name}`,
    name,
    enabled: true,
    createdAt: 0,
    lastSeenAt: null,
    expiresAt: null,
    notes: '',
    tags: [],
    limits: { ...NO_LIMITS },
    rotateAfter: null,
    secrets: [
      {
        id: `secret of ${name}`,
        key,
        state: 'active',
        createdAt: 0,
        retiringUntil: null,
        retireLimitNetworks: null,
        revokedAt: null,
        tombstoneUntil: null,
        closeReason: null,
        lastSeenAt: null,
      },
    ],
  };
}

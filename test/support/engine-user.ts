import type { EngineUser } from '../../src/daemon/supervisor/engine.ts';

/** A user without limits, with one secret; what is given of `change` is otherwise. */
export function engineUser(id: string, key: string, domain: string, change: Partial<EngineUser> = {}): EngineUser {
  return {
    id,
    domain,
    enabled: true,
    expiresAt: null,
    limits: { connections: null, networks: null, upBytesPerSecond: null, downBytesPerSecond: null },
    secrets: [{ id: `${id}/1`, key, state: 'active', maxNetworks: null }],
    ...change,
  };
}

import type { EngineUser } from '../supervisor/engine.ts';

const KEY_BYTES = 16;

/** All users in memory that the workers share: a new revision costs them nothing, whatever the number of users. */
export interface PackedUsers {
  /** 16 bytes each, those of one domain after one another. */
  keys: SharedArrayBuffer;
  /** One number each, the same over revisions (Uint32). */
  slots: SharedArrayBuffer;
  /** One byte each: may this user come in? */
  enabled: SharedArrayBuffer;
  /** The domains, and where the users of each begin; one number more than there are domains. */
  domains: string[];
  starts: number[];
}

/** `slotOf` names a user's slot. */
export function packUsers(users: readonly EngineUser[], slotOf: (id: string) => number): PackedUsers {
  const byDomain = Map.groupBy(users, ({ domain }) => domain);
  const packed: PackedUsers = {
    keys: new SharedArrayBuffer(users.length * KEY_BYTES),
    slots: new SharedArrayBuffer(users.length * 4),
    enabled: new SharedArrayBuffer(users.length),
    domains: [...byDomain.keys()],
    starts: [0],
  };
  const [keys, slots, enabled] = [
    Buffer.from(packed.keys),
    new Uint32Array(packed.slots),
    new Uint8Array(packed.enabled),
  ];
  let at = 0;
  for (const members of byDomain.values()) {
    for (const user of members) {
      keys.write(user.key, at * KEY_BYTES, 'hex');
      slots[at] = slotOf(user.id);
      enabled[at] = user.enabled ? 1 : 0;
      at += 1;
    }
    packed.starts.push(at);
  }
  return packed;
}

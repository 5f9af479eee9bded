import type { EngineUser } from '../supervisor/engine.ts';

const KEY_BYTES = 16;

/** All secrets in memory that the workers share: a new revision costs them nothing, whatever the number of users. */
export interface PackedUsers {
  /** 16 bytes each, those of one domain after one another. */
  keys: SharedArrayBuffer;
  /** Row of each secret in the table of users (Uint32), the same over revisions. */
  rows: SharedArrayBuffer;
  /** The other way round: by row, one more than the place of its secret, or 0 (Uint32). */
  places: SharedArrayBuffer;
  /** Row of the user that it belongs to (Uint32). */
  owners: SharedArrayBuffer;
  /** One byte each: 1 for a secret that lets nobody in any more. */
  stale: SharedArrayBuffer;
  /** The domains, and where the secrets of each begin; one number more than there are domains. */
  domains: string[];
  starts: number[];
}

/** `rowOf` names the row of a user or a secret. */
export function packUsers(users: readonly EngineUser[], rowOf: (id: string) => number): PackedUsers {
  const byDomain = Map.groupBy(users, ({ domain }) => domain);
  const secretRows = users.flatMap(({ secrets }) => secrets.map(({ id }) => rowOf(id)));
  const size = secretRows.length;
  const packed: PackedUsers = {
    keys: new SharedArrayBuffer(size * KEY_BYTES),
    rows: new SharedArrayBuffer(size * 4),
    places: new SharedArrayBuffer(secretRows.reduce((most, row) => Math.max(most, row + 1), 0) * 4),
    owners: new SharedArrayBuffer(size * 4),
    stale: new SharedArrayBuffer(size),
    domains: [...byDomain.keys()],
    starts: [0],
  };
  const keys = Buffer.from(packed.keys);
  const [rows, owners] = [new Uint32Array(packed.rows), new Uint32Array(packed.owners)];
  const places = new Uint32Array(packed.places);
  const stale = new Uint8Array(packed.stale);
  let at = 0;
  for (const members of byDomain.values()) {
    for (const user of members) {
      for (const secret of user.secrets) {
        keys.write(secret.key, at * KEY_BYTES, 'hex');
        const row = rowOf(secret.id);
        rows[at] = row;
        places[row] = at + 1;
        owners[at] = rowOf(user.id);
        stale[at] = secret.state === 'draining' || secret.state === 'tombstone' ? 1 : 0;
        at += 1;
      }
    }
    packed.starts.push(at);
  }
  return packed;
}

import type { Endpoint } from '../supervisor/engine.ts';
import type { Conn } from './conn.ts';
import { DcDial } from './dc-dial.ts';
import type { Plane } from './plane.ts';

/**
 * A connection to a DC for a client: one that was opened ahead and is still good, or a fresh one. `done` gets null when no
 * address could be reached, and may be called before this returns; the dial that is under way is returned.
 */
export function reachDc(
  plane: Plane,
  endpoints: readonly Endpoint[],
  done: (conn: Conn | null) => void,
): DcDial | null {
  const parked = plane.warm.take(plane, endpoints);
  if (parked === null) return new DcDial(plane, endpoints, done);
  done(parked);
  return null;
}

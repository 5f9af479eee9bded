import type { Endpoint } from '../supervisor/engine.ts';
import type { Conn, ConnOwner } from './conn.ts';
import { DcDial } from './dc-dial.ts';
import type { Plane, WarmConnections } from './plane.ts';

/** Telegram closes connections that stay silent; one that is younger is most likely still served. */
const AGE_MS = 60_000;
/** A DC that no client wanted for so long is forgotten. */
const UNUSED_MS = 5 * 60_000;
/** Wait after a dial that reached no address. */
const PAUSE_MS = 5000;
/** Dials of one DC at once. */
const DIALS = 4;

interface Parked {
  conn: Conn;
  endpoint: Endpoint;
  /** Tick of the wheel. */
  since: number;
}

interface Shelf {
  /** The oldest first. */
  parked: Parked[];
  dialing: number;
  /** Ticks of the wheel. */
  lastUse: number;
  pausedUntil: number;
}

/** Limits that tests shorten. */
interface Times {
  ageMs: number;
  unusedMs: number;
}

/**
 * Connections to DCs that were used lately, opened ahead of the clients of one worker. Nothing is said on them: what a DC is
 * told first depends on the client (protocol.md §6.3).
 */
export class DcWarm implements ConnOwner, WarmConnections {
  /** By the address list of the settings that apply. */
  readonly #shelves = new Map<readonly Endpoint[], Shelf>();
  readonly #worker: number;
  /** Parked connections by slot of their address. */
  readonly #counts: Int32Array;
  readonly #times: Times;
  #closed = false;

  constructor(worker: number, counts: Int32Array, times: Times = { ageMs: AGE_MS, unusedMs: UNUSED_MS }) {
    this.#worker = worker;
    this.#counts = counts;
    this.#times = times;
  }

  take(plane: Plane, endpoints: readonly Endpoint[]): Conn | null {
    if (this.#closed || this.#share(plane) === 0) return null;
    const shelf = this.#shelves.get(endpoints) ?? { parked: [], dialing: 0, lastUse: 0, pausedUntil: 0 };
    this.#shelves.set(endpoints, shelf);
    shelf.lastUse = plane.wheel.now;
    let taken: Conn | null = null;
    while (taken === null && shelf.parked[0] !== undefined) {
      const first = shelf.parked[0];
      this.#remove(plane, shelf, first);
      if (this.#isGood(plane, first)) taken = first.conn;
      else first.conn.destroy();
    }
    this.#fill(plane, endpoints, shelf);
    return taken;
  }

  sweep(plane: Plane): void {
    for (const [endpoints, shelf] of this.#shelves) {
      const unused = plane.wheel.now - shelf.lastUse > plane.wheel.ticks(this.#times.unusedMs);
      for (const entry of [...shelf.parked]) {
        if (!unused && this.#isGood(plane, entry)) continue;
        this.#remove(plane, shelf, entry);
        entry.conn.destroy();
      }
      if (unused) this.#shelves.delete(endpoints);
      else this.#fill(plane, endpoints, shelf);
    }
  }

  clear(): void {
    for (const { parked } of this.#shelves.values()) for (const { conn } of parked) conn.destroy();
    this.#shelves.clear();
    this.#counts.fill(0);
  }

  close(): void {
    this.#closed = true;
    this.clear();
  }

  /** This worker's part of the limit, which is one of all workers together. */
  #share({ settings: { warm, workers } }: Plane): number {
    return Math.max(0, Math.ceil((warm - this.#worker) / workers));
  }

  #isGood(plane: Plane, { conn, endpoint, since }: Parked): boolean {
    const young = plane.wheel.now - since < plane.wheel.ticks(this.#times.ageMs);
    return young && plane.breakers.rank(endpoint) === 0 && conn.isQuiet();
  }

  #fill(plane: Plane, endpoints: readonly Endpoint[], shelf: Shelf): void {
    const wanted = this.#share(plane);
    while (
      plane.wheel.now >= shelf.pausedUntil &&
      shelf.dialing < DIALS &&
      shelf.parked.length + shelf.dialing < wanted
    ) {
      shelf.dialing += 1;
      new DcDial(plane, endpoints, (conn, endpoint) => {
        shelf.dialing -= 1;
        if (conn === null || endpoint === null) shelf.pausedUntil = plane.wheel.now + plane.wheel.ticks(PAUSE_MS);
        else if (this.#shelves.get(endpoints) !== shelf) conn.destroy();
        else {
          this.#park(plane, shelf, { conn, endpoint, since: plane.wheel.now });
          this.#fill(plane, endpoints, shelf);
        }
      });
    }
  }

  #park(plane: Plane, shelf: Shelf, entry: Parked): void {
    entry.conn.owner = this;
    shelf.parked.push(entry);
    this.#count(plane, entry, 1);
  }

  #remove(plane: Plane, shelf: Shelf, entry: Parked): void {
    shelf.parked.splice(shelf.parked.indexOf(entry), 1);
    this.#count(plane, entry, -1);
  }

  #count(plane: Plane, { endpoint }: Parked, change: number): void {
    const slot = plane.breakers.slot(endpoint);
    if (slot !== undefined) this.#counts[slot] = (this.#counts[slot] as number) + change;
  }

  /** A DC speaks when it is spoken to; whatever this is, it is not for a client to come. */
  onData(conn: Conn): void {
    conn.destroy();
  }

  onEnd(conn: Conn): void {
    conn.destroy();
  }

  onDrain(): void {
    // Nothing is written to a parked connection.
  }

  onFault(): void {
    // Closing a connection does not throw.
  }

  onClose(): void {
    // A closed connection is not quiet: the next look at its shelf replaces it.
  }
}

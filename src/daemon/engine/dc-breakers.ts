import type { Endpoint, EngineEvent } from '../supervisor/engine.ts';
import { slotName, type SlotMap } from './dc-slots.ts';
import { type Breaker, claim, doubt, fail, isHealthy, release, succeed } from './shared/breaker.ts';
import type { BreakerTable } from './shared/breakers.ts';

/** What this machine was short of says nothing of an address. */
const OUR_OWN = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/** The wheel is coarse: what others grant a trial beyond its limit. */
const LEASE_SPARE_MS = 1000;

interface Edges {
  /** Monotonic ms that all workers share. */
  now: () => number;
  random: () => number;
  /** Told of every change between open and closed. */
  tell: (level: EngineEvent['level'], event: string, detail: EngineEvent['detail']) => void;
}

/** What one worker knows and reports of the addresses of the DCs. */
export class DcBreakers {
  #slots: SlotMap;
  /** Rows by the address objects of the settings, so that a dial puts no names together. */
  #rows = new WeakMap<Endpoint, number | undefined>();
  readonly #table: BreakerTable;
  readonly #edges: Edges;

  constructor(table: BreakerTable, slots: SlotMap, edges: Edges) {
    this.#table = table;
    this.#slots = slots;
    this.#edges = edges;
  }

  /** Those of a new revision; an address keeps its row. */
  set slots(slots: SlotMap) {
    this.#slots = slots;
    this.#rows = new WeakMap();
  }

  slot(endpoint: Endpoint): number | undefined {
    if (!this.#rows.has(endpoint)) this.#rows.set(endpoint, this.#slots.get(slotName(endpoint)));
    return this.#rows.get(endpoint);
  }

  /** 0 for an address that works, 1 for one in doubt, 2 where the breaker is not closed: the order to try them in. */
  rank(endpoint: Endpoint): 0 | 1 | 2 {
    const slot = this.slot(endpoint);
    if (slot === undefined || this.#table.isSpotless(slot)) return 0;
    const row = this.#table.read(slot);
    return isHealthy(row) ? 0 : row.state === 'closed' ? 1 : 2;
  }

  /** Whether the caller is the one to try an ailing address out; it reports back within `limitMs`. */
  claim(endpoint: Endpoint, limitMs: number): boolean {
    const slot = this.slot(endpoint);
    if (slot === undefined || this.#table.isSpotless(slot)) return false;
    return this.#table.change(slot, (row) => claim(row, this.#edges.now(), limitMs + LEASE_SPARE_MS)).changed;
  }

  release(endpoint: Endpoint): void {
    this.#change(endpoint, (row) => release(row, this.#edges.now()));
  }

  doubted(endpoint: Endpoint): void {
    this.#change(endpoint, (row) => doubt(row, this.#edges.now()));
  }

  succeeded(endpoint: Endpoint): void {
    const slot = this.slot(endpoint);
    if (slot === undefined || this.#table.isSpotless(slot)) return;
    this.#change(endpoint, succeed);
  }

  /** `trial` as `claim` said. */
  failed(endpoint: Endpoint, error: string, trial: boolean): void {
    if (!OUR_OWN.has(error)) {
      this.#change(endpoint, (row) => fail(row, this.#edges.now(), this.#edges.random(), trial), error);
    } else if (trial) {
      this.release(endpoint);
    }
  }

  #change(endpoint: Endpoint, step: (row: Breaker) => Breaker, error?: string): void {
    const slot = this.slot(endpoint);
    if (slot === undefined) return;
    const { from, to } = this.#table.change(slot, step, error);
    const { host, port } = endpoint;
    if (from.state === 'closed' && to.state === 'open') {
      this.#edges.tell('warn', 'dc_breaker_open', { host, port, failures: to.failures, error: to.lastError });
    } else if (from.state !== 'closed' && to.state === 'closed') {
      this.#edges.tell('info', 'dc_breaker_closed', { host, port });
    }
  }
}

/** Milliseconds of a clock that never goes back and is the same in all threads. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

import type { Plane } from './plane.ts';
import { type Source, sourceOf } from './shared/source.ts';

/** What one connection takes from the limits, and gives back when it ends. */
export class Ticket {
  /** Over a limit: the connection may stay, but only as the cover's. */
  readonly limited: boolean;
  readonly #plane: Plane;
  readonly source: Source;
  #holdsConnection: boolean;
  #holdsSource: boolean;

  /** `host` is the client's address. */
  constructor(plane: Plane, host: string) {
    const { limits } = plane.settings;
    this.#plane = plane;
    this.source = sourceOf(host, plane.seed);
    this.#holdsConnection = plane.gauges.take('connections', limits.connections);
    const counted = plane.sources.acquire(
      this.source,
      limits.perSource ?? Number.MAX_SAFE_INTEGER,
      Math.floor(Date.now() / 1000),
    );
    this.#holdsSource = counted === 'counted';
    this.limited = !this.#holdsConnection || counted === 'over';
  }

  /** Row of the secret that was last used from this network. */
  get lastSecret(): number | null {
    return this.#plane.sources.remembered(this.source);
  }

  remember(secretRow: number): void {
    this.#plane.sources.remember(this.source, secretRow);
  }

  /** Give everything back; calling it again does nothing. */
  release(): void {
    if (this.#holdsConnection) this.#plane.gauges.add('connections', -1);
    if (this.#holdsSource) this.#plane.sources.release(this.source);
    this.#holdsConnection = false;
    this.#holdsSource = false;
  }
}

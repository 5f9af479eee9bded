import type { EngineVerdict, HandshakeResult } from '../supervisor/engine.ts';
import type { Plane } from './plane.ts';
import { type Source, sourceOf } from './shared/source.ts';

/** The machine's own connections are not slowed down: a balancer's, and the daemon's when it tries itself out. */
function isOwn(host: string): boolean {
  return host.startsWith('127.') || host === '::1';
}

/** What one connection takes from the limits, and gives back when it ends. */
export class Ticket {
  /** Why the connection may stay only as the cover's; null where it may be anybody's. */
  readonly refusal: Extract<HandshakeResult, 'banned' | 'limit' | 'rate'> | null;
  readonly #plane: Plane;
  readonly source: Source;
  #holdsConnection: boolean;
  #holdsSource: boolean;

  /** `host` is the client's address, of which `verdict` is ruled. */
  constructor(plane: Plane, host: string, verdict: EngineVerdict) {
    const { limits } = plane.settings;
    this.#plane = plane;
    this.source = sourceOf(host, plane.seed);
    this.#holdsConnection = plane.gauges.take('connections', limits.connections);
    const free = verdict === 'allowed';
    const perSource = free ? null : limits.perSource;
    const counted = plane.sources.acquire(
      this.source,
      perSource ?? Number.MAX_SAFE_INTEGER,
      Math.floor(Date.now() / 1000),
    );
    this.#holdsSource = counted === 'counted';
    if (!this.#holdsConnection || counted === 'over') this.refusal = 'limit';
    else if (!free && !isOwn(host) && !plane.guard.pay(this.source, verdict)) this.refusal = 'rate';
    else this.refusal = free || verdict === null ? null : 'banned';
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

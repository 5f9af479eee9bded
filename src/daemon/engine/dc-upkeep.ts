import type { Endpoint } from '../supervisor/engine.ts';
import { DcAttempt } from './dc-attempt.ts';
import { inOrder } from './dc-order.ts';
import type { Plane } from './plane.ts';
import type { Timed } from './wheel.ts';

const EVERY_MS = 1000;
/** A direct connect for which two repeated SYNs were not enough has failed; through a proxy the full limit applies. */
const PROBE_MS = 3000;
/** Probes of one worker at once. */
const PROBES = 4;

/** Once a second: try out ailing addresses whose time has come, so that no client has to, and look after parked connections. */
export class DcUpkeep implements Timed {
  due = -1;
  bucket = 0;
  readonly #plane: Plane;
  readonly #probes = new Set<DcAttempt>();

  constructor(plane: Plane) {
    this.#plane = plane;
    plane.wheel.schedule(this, EVERY_MS);
  }

  expire(): void {
    const { wheel, warm, settings } = this.#plane;
    wheel.schedule(this, EVERY_MS);
    warm.sweep(this.#plane);
    for (const endpoints of Object.values(settings.telegram.dcs)) {
      for (const endpoint of inOrder(endpoints, settings.telegram.prefer)) this.#probe(endpoint);
    }
  }

  #probe(endpoint: Endpoint): void {
    const { breakers, settings } = this.#plane;
    const { connectMs } = settings.telegram;
    const limitMs = settings.socks5 === null ? Math.min(PROBE_MS, connectMs) : connectMs;
    if (this.#probes.size >= PROBES || !breakers.claim(endpoint, limitMs)) return;
    const attempt = new DcAttempt(this.#plane, { endpoint, limitMs, trial: true }, (conn) => {
      this.#probes.delete(attempt);
      conn?.destroy();
    });
    this.#probes.add(attempt);
  }
}

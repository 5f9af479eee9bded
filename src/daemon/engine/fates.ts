import type { Endpoint, HandshakeResult } from '../supervisor/engine.ts';
import { keyOf, MOST_OWN } from './own-connections.ts';

/** A worker's word may come a little after the answer that the daemon has seen. */
const WAIT_MS = 250;

/** How the openings of the daemon's own connections ended, from claim to question. */
export class Fates {
  readonly #open = new Map<string, { result: HandshakeResult | null; settle: (result: HandshakeResult) => void }>();

  begin(from: Endpoint): void {
    for (const oldest of this.#open.keys()) {
      if (this.#open.size < MOST_OWN) break;
      this.#open.delete(oldest);
    }
    this.#open.set(keyOf(from), { result: null, settle: () => undefined });
  }

  settle(from: Endpoint, result: HandshakeResult): void {
    const fate = this.#open.get(keyOf(from));
    if (fate === undefined) return;
    fate.result = result;
    fate.settle(result);
  }

  /** The end of one, which is forgotten then; null where nobody knows. */
  async end(from: Endpoint): Promise<HandshakeResult | null> {
    const fate = this.#open.get(keyOf(from));
    if (fate === undefined) return null;
    const result =
      fate.result ??
      (await new Promise<HandshakeResult | null>((resolve) => {
        const timer = setTimeout(() => resolve(null), WAIT_MS);
        fate.settle = (settled) => {
          clearTimeout(timer);
          resolve(settled);
        };
      }));
    this.#open.delete(keyOf(from));
    return result;
  }
}

import type { Endpoint, EngineSettings } from '../supervisor/engine.ts';
import { BREAKER_ROWS } from './shared/breakers.ts';

/** Row of each address in the shared tables, by `slotName`. */
export type SlotMap = ReadonlyMap<string, number>;

export function slotName({ host, port }: Endpoint): string {
  return `${host} ${port}`;
}

/** Gives every address a row for good; those that come when all are taken have no breaker. */
export class DcSlots {
  readonly #slots = new Map<string, number>();

  assign(dcs: EngineSettings['telegram']['dcs']): SlotMap {
    for (const endpoint of Object.values(dcs).flat()) {
      const name = slotName(endpoint);
      if (!this.#slots.has(name) && this.#slots.size < BREAKER_ROWS) this.#slots.set(name, this.#slots.size);
    }
    return this.#slots;
  }
}

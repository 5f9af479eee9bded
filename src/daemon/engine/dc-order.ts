import { isIPv6 } from 'node:net';
import type { Endpoint, EngineSettings } from '../supervisor/engine.ts';

/** The addresses that a preference leaves, the preferred family first. */
export function inOrder(addresses: readonly Endpoint[], prefer: EngineSettings['telegram']['prefer']): Endpoint[] {
  const six = prefer.startsWith('ipv6');
  const first = addresses.filter(({ host }) => isIPv6(host) === six);
  return prefer.endsWith('-only') ? first : [...first, ...addresses.filter(({ host }) => isIPv6(host) !== six)];
}

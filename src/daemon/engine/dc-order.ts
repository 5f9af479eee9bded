import { isIpv6 } from '../../lib/protocol/ip-address.ts';
import type { Endpoint, EngineSettings } from '../supervisor/engine.ts';

type Preference = EngineSettings['telegram']['prefer'];

/** Each dial asks for the order of a list that changes only with the settings. */
const known = new WeakMap<readonly Endpoint[], { prefer: Preference; order: readonly Endpoint[] }>();

/** The addresses that a preference leaves, the preferred family first. `addresses` is not changed afterwards. */
export function inOrder(addresses: readonly Endpoint[], prefer: Preference): readonly Endpoint[] {
  const last = known.get(addresses);
  if (last?.prefer === prefer) return last.order;
  const order = sorted(addresses, prefer);
  known.set(addresses, { prefer, order });
  return order;
}

function sorted(addresses: readonly Endpoint[], prefer: Preference): Endpoint[] {
  const six = prefer.startsWith('ipv6');
  const first = addresses.filter(({ host }) => isIpv6(host) === six);
  return prefer.endsWith('-only') ? first : [...first, ...addresses.filter(({ host }) => isIpv6(host) !== six)];
}

import type { NetworkInterfaceInfo } from 'node:os';
import type { OutsideAnswer } from './outside.ts';

export type Interfaces = Record<string, NetworkInterfaceInfo[] | undefined>;

/** The address of this machine in one family, and how far it can be trusted. */
export interface AddressFacts {
  /** The one to use; null where there is none, or where the sources disagree. */
  address: string | null;
  /** Addresses of the interfaces, loopback and link-local ones left out. */
  interfaces: string[];
  outside: OutsideAnswer[];
  /** How it was found, for the screen. */
  from: string;
  /** Different answers that only a person can choose among. */
  candidates: string[];
}

/** Compare what the interfaces have with what the outside sees. */
export function judgeAddress(interfaces: Interfaces, family: 4 | 6, outside: OutsideAnswer[]): AddressFacts {
  const own = ownAddresses(interfaces, family);
  const seen = outside.flatMap((answer) => (answer.ok ? [answer.address] : []));
  const different = [...new Set(seen)];
  const facts = { interfaces: own, outside, candidates: [] };
  if (different.length > 1) {
    return { ...facts, address: null, from: 'the services outside disagree', candidates: different };
  }
  const [only] = different;
  if (only === undefined) {
    const [first] = own;
    const from = first === undefined ? `no IPv${family}` : 'of the interface; nobody outside answered';
    return { ...facts, address: first ?? null, from };
  }
  const sources = seen.length === 1 ? 'one source outside' : `${seen.length} sources outside agree`;
  if (own.includes(only)) return { ...facts, address: only, from: `${sources}, and the interface` };
  if (own.every((address) => isPrivate(address))) {
    return { ...facts, address: only, from: `${sources}; this machine is behind NAT` };
  }
  return { ...facts, address: null, from: 'interface and outside disagree', candidates: [only, ...own] };
}

function ownAddresses(interfaces: Interfaces, family: 4 | 6): string[] {
  return Object.values(interfaces)
    .flatMap((entries) => entries ?? [])
    .filter(
      (entry) => entry.family === `IPv${family}` && !entry.internal && !/^(fe80:|169\.254\.)/i.test(entry.address),
    )
    .map(({ address }) => address);
}

/** Addresses that NAT hides (RFC 1918, RFC 6598, RFC 4193). */
function isPrivate(address: string): boolean {
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd])/i.test(address);
}

/** How far the clock is off, by the answers that tell; null where none does. The smallest, since delays only add. */
export function clockDrift(outside: OutsideAnswer[]): number | null {
  const drifts = outside.flatMap((answer) => (answer.ok && answer.driftMs !== null ? [answer.driftMs] : []));
  return drifts.reduce<number | null>(
    (least, drift) => (least === null || Math.abs(drift) < Math.abs(least) ? drift : least),
    null,
  );
}

/** Telegram's data centres and the numbers that clients use for them (protocol.md §2.4, §6.1). */

interface Address {
  host: string;
  port: number;
}

const at = (...hosts: string[]): Address[] => hosts.map((host) => ({ host, port: 443 }));

/** Addresses by DC number; test DCs as 10000 + n, the CDN as 203. Media DCs share the address of their absolute number. */
export const DEFAULT_DCS: Readonly<Record<string, Address[]>> = {
  '1': at('149.154.175.50', '2001:b28:f23d:f001::a'),
  '2': at('149.154.167.51', '95.161.76.100', '2001:67c:4e8:f002::a'),
  '3': at('149.154.175.100', '2001:b28:f23d:f003::a'),
  '4': at('149.154.167.91', '2001:67c:4e8:f004::a'),
  '5': at('149.154.171.5', '2001:b28:f23f:f005::a'),
  '203': at('91.105.192.100', '2a0a:f280:203:a:5000::100'),
  '10001': at('149.154.175.10', '2001:b28:f23d:f001::e'),
  '10002': at('149.154.167.40', '2001:67c:4e8:f002::e'),
  '10003': at('149.154.175.117', '2001:b28:f23d:f003::e'),
};

/** The row of the address table for a client's DC index: sign means media, 0 means the default DC 2 (protocol.md §2.4). */
export function dcNumber(index: number): number {
  return index === 0 ? 2 : Math.abs(index);
}

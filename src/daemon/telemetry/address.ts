import net from 'node:net';

/** An address that may leave the process: IPv4 as its /24, IPv6 as its /48, with nothing of the host left. */
export function truncateAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  if (net.isIPv4(mapped)) return `${mapped.split('.').slice(0, 3).join('.')}.0/24`;
  if (!net.isIPv6(address)) return 'unknown';
  // The URL parser writes an address in full form without an IPv4 tail, so that only "::" is left to expand.
  const [head = '', tail] = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1).split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const all = [...groups, ...Array<string>(8 - groups.length - last.length).fill('0'), ...last];
  return `${all.slice(0, 3).join(':')}::/48`;
}

import { domainToASCII } from 'node:url';
import { ipFamily } from '../protocol/ip-address.ts';

export interface Endpoint {
  host: string;
  port: number;
}

export interface Socks5 extends Endpoint {
  username?: string;
  password?: string;
}

/** A host name in ASCII (RFC 1123, underscores tolerated); an IP address is none. */
export function isHostName(text: string): boolean {
  const labels = text.split('.');
  return (
    text.length <= 253 &&
    labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  );
}

/** The ASCII form (`xn--…`) of a host name in another script; undefined when there is none. */
export function asciiHostName(text: string): string | undefined {
  return domainToASCII(text) || undefined;
}

/** `host:port`, or `[address]:port` for IPv6; undefined when it is neither. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) return undefined;
  const [, v6, name = ''] = match;
  if (v6 !== undefined) return ipFamily(v6) === 6 ? { host: v6, port } : undefined;
  return ipFamily(name) === 4 || isHostName(name) ? { host: name, port } : undefined;
}

/** An endpoint as `parseEndpoint` reads it. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return ipFamily(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An address block in the form `address/prefix`; a single address gets the full prefix. Undefined when it is neither. */
export function parseCidr(text: string): string | undefined {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = ipFamily(address);
  if (family === 0 || rest.length > 0) return undefined;
  const bits = family === 4 ? 32 : 128;
  if (prefix === undefined) return `${address}/${bits}`;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits ? `${address}/${Number(prefix)}` : undefined;
}

/** `socks5://[user:password@]host:port`, percent-encoded where needed; undefined when it is not one. */
export function parseSocks5(text: string): Socks5 | undefined {
  const match = /^socks5:\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?([^@/?#]+)\/?$/.exec(text);
  const endpoint = match === null ? undefined : parseEndpoint(match[3] ?? '');
  if (match === null || endpoint === undefined) return undefined;
  if (match[1] === undefined) return endpoint;
  try {
    const [username, password] = [decodeURIComponent(match[1]), decodeURIComponent(match[2] ?? '')];
    // RFC 1929 gives each a length of one byte, and none of them may be empty.
    const fits = [username, password].every((part) => part !== '' && Buffer.byteLength(part) <= 255);
    return fits ? { ...endpoint, username, password } : undefined;
  } catch {
    return undefined;
  }
}

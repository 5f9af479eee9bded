import { isIpv6 } from '../protocol/ip-address.ts';
import { EXIT, MtpError } from '../errors.ts';
import { formatSecret, parseSecret, type Secret } from '../secret/secret.ts';

export interface ProxyAddress {
  /** Host name or address, without brackets. */
  server: string;
  port: number;
  secret: Secret;
}

export interface ProxyLinks {
  tg: string;
  https: string;
  /** What may keep a client from using them; one sentence each. */
  warnings: string[];
}

export const IPV6_WARNING = 'Some clients cannot use a bare IPv6 address; a host name works everywhere.';

/** TDLib refuses a longer server (protocol.md §1.3). */
const SERVER_MAX = 255;
const HOST = /^[\w.-]+$/;

/** The two links that a client opens (protocol.md §1.3). */
export function formatLinks({ server, port, secret }: ProxyAddress): ProxyLinks {
  assertServer(server);
  assertPort(port);
  const query = `server=${encodeURIComponent(server)}&port=${port}&secret=${formatSecret(secret)}`;
  const warnings = isIpv6(server) ? [IPV6_WARNING] : [];
  return { tg: `tg://proxy?${query}`, https: `https://t.me/proxy?${query}`, warnings };
}

/** A link of either form, as people paste it, back to what it names. */
export function parseLink(text: string): ProxyAddress {
  const query = queryOf(text.trim());
  const server = required(query, 'server');
  assertServer(server);
  const digits = required(query, 'port');
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : Number.NaN;
  assertPort(port);
  // In a query "+" means a space, and a space is nothing that base64 has.
  return { server, port, secret: parseSecret(required(query, 'secret').replaceAll(' ', '+')) };
}

/** Refuse what no link can name as server: nothing, spaces, a port or a path. */
export function assertServer(server: string): void {
  const why =
    server === ''
      ? 'it is empty'
      : server.length > SERVER_MAX
        ? `it is longer than ${SERVER_MAX} characters`
        : HOST.test(server) || isIpv6(server)
          ? undefined
          : 'it is neither a host name nor an address';
  if (why === undefined) return;
  throw linkError(`"${server.slice(0, 80)}" cannot be the server of a link: ${why}`);
}

function assertPort(port: number): void {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return;
  throw linkError('the port of a link is a number from 1 to 65535');
}

function queryOf(text: string): URLSearchParams {
  const match = /^(?:tg:(?:\/\/)?proxy|(?:https?:\/\/)?(?:t|telegram)\.me\/proxy)\/?\?([^#]*)/i.exec(text);
  if (match?.[1] === undefined) throw linkError('this is not a proxy link');
  return new URLSearchParams(match[1]);
}

function required(query: URLSearchParams, name: string): string {
  const value = query.get(name);
  if (value === null || value === '') throw linkError(`the link has no ${name}`);
  return value;
}

function linkError(message: string): MtpError {
  return new MtpError('LINK_INVALID', message, {
    exit: EXIT.usage,
    hint: 'A link looks like tg://proxy?server=HOST&port=PORT&secret=SECRET.',
  });
}

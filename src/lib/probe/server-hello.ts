const SERVER_HELLO = 0x02;
const SUPPORTED_VERSIONS = 43;
const COOKIE = 44;
const KEY_SHARE = 51;
/** The random that makes a ServerHello a HelloRetryRequest (RFC 8446 §4.1.3). */
const RETRY_RANDOM = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');

export interface ServerHello {
  /** 0x0304 is TLS 1.3. */
  version: number;
  /** Group of its key share, or the one that it asks for; null where it has none. */
  group: number | null;
  retry: boolean;
  cookie: Buffer | null;
}

/** Read a ServerHello handshake message (no record header). Null when it is something else or does not add up. */
export function readServerHello(message: Buffer): ServerHello | null {
  if (message.length < 39 || message[0] !== SERVER_HELLO) return null;
  const extensionsAt = 39 + (message[38] as number) + 3;
  const hello: ServerHello = {
    version: message.readUInt16BE(4),
    group: null,
    retry: message.subarray(6, 38).equals(RETRY_RANDOM),
    cookie: null,
  };
  if (extensionsAt === message.length) return hello;
  if (extensionsAt + 2 > message.length) return null;
  const end = extensionsAt + 2 + message.readUInt16BE(extensionsAt);
  if (end > message.length) return null;
  for (let at = extensionsAt + 2; at < end;) {
    if (at + 4 > end || at + 4 + message.readUInt16BE(at + 2) > end) return null;
    const body = message.subarray(at + 4, at + 4 + message.readUInt16BE(at + 2));
    const type = message.readUInt16BE(at);
    if (type === SUPPORTED_VERSIONS && body.length === 2) hello.version = body.readUInt16BE(0);
    if (type === KEY_SHARE && body.length >= 2) hello.group = body.readUInt16BE(0);
    if (type === COOKIE && body.length > 2) hello.cookie = body.subarray(2);
    at += 4 + body.length;
  }
  return hello;
}

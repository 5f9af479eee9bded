/** Second readers of a ClientHello, as RFC 8446 has its records (§5.1) and fields (§4.1.2), to compare with. */

const MOST_RECORDS = 16;
const MOST_BYTES = 16_384;

/** Whether a hello begins here, may still begin, or is all there. */
export function stateOf(wire: Buffer): 'incomplete' | 'foreign' | 'complete' {
  const message: Buffer[] = [];
  let left = wire;
  for (let records = 0; records < MOST_RECORDS; records++) {
    const [type = 0x16, major = 3] = left;
    if (type !== 0x16 || major !== 3) return 'foreign';
    if (left.length < 5) return 'incomplete';
    const length = left.readUInt16BE(3);
    if (length === 0 || length > MOST_BYTES) return 'foreign';
    message.push(left.subarray(5, 5 + length));
    const said = Buffer.concat(message);
    const [kind = 1] = said;
    const wanted = said.length < 4 ? Infinity : 4 + said.readUIntBE(1, 3);
    if (kind !== 1 || (wanted !== Infinity && wanted > MOST_BYTES)) return 'foreign';
    if (left.length < 5 + length) return 'incomplete';
    if (said.length >= wanted) return said.length < 39 ? 'foreign' : 'complete';
    left = left.subarray(5 + length);
  }
  return 'foreign';
}

interface Said {
  ciphers: number[];
  sni: string | null;
  groups: number[];
}

/** A vector of bytes and what is behind it, or null when it does not fit. */
function take(data: Buffer, width: number): { body: Buffer; rest: Buffer } | null {
  if (data.length < width) return null;
  const end = width + data.readUIntBE(0, width);
  return end > data.length ? null : { body: data.subarray(width, end), rest: data.subarray(end) };
}

function words(data: Buffer): number[] {
  return Array.from({ length: data.length >> 1 }, (_, at) => data.readUInt16BE(2 * at));
}

/** Type and body of each extension, until one does not fit. */
function list(data: Buffer): { type: number; body: Buffer }[] {
  const found: { type: number; body: Buffer }[] = [];
  for (let left = data; left.length >= 4;) {
    const next = take(left.subarray(2), 2);
    if (next === null) break;
    found.push({ type: left.readUInt16BE(0), body: next.body });
    left = next.rest;
  }
  return found;
}

/** Null when not even the session id fits. `record` has at least 44 bytes. */
export function readHelloPlainly(record: Buffer): Said | null {
  const said: Said = { ciphers: [], sni: null, groups: [] };
  const session = take(record.subarray(43), 1);
  if (session === null || session.body.length > 32) return null;
  const ciphers = take(session.rest, 2);
  if (ciphers === null) return said;
  said.ciphers = words(ciphers.body);
  const compression = take(ciphers.rest, 1);
  const extensions = compression === null ? null : take(compression.rest, 2);
  for (const { type, body } of list(extensions?.body ?? Buffer.alloc(0))) {
    if (type === 0) {
      const name = body[2] === 0 && body.length >= 5 ? take(body.subarray(3), 2) : null;
      said.sni = name === null ? null : name.body.toString('latin1').toLowerCase();
    }
    if (type === 51) said.groups = list(body.subarray(2)).map((share) => share.type);
  }
  return said;
}

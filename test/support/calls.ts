/** The few calls that a fake data centre answers once a client has an authorization key. */

export function int(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeInt32LE(value | 0);
  return out;
}

/** TL `bytes` and `string`. */
export function tlBytes(data: Buffer): Buffer {
  const head =
    data.length < 254
      ? Buffer.from([data.length])
      : Buffer.from([254, data.length, data.length >> 8, data.length >> 16]);
  const body = Buffer.concat([head, data]);
  return Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
}

/** The messages of a decrypted packet, taken out of their container. */
export function unpack(packet: Buffer): { messageId: Buffer; body: Buffer }[] {
  const messageId = packet.subarray(0, 8);
  const body = packet.subarray(16, 16 + packet.readUInt32LE(12));
  if (body.readUInt32LE(0) !== 0x73f1f8dc) return [{ messageId, body }];
  const messages: { messageId: Buffer; body: Buffer }[] = [];
  for (let at = 8, left = body.readUInt32LE(4); left > 0; left--) {
    messages.push(...unpack(body.subarray(at)));
    at += 16 + body.readUInt32LE(at + 12);
  }
  return messages;
}

const PINGS = [0xf3427b8c, 0x7abe77ec];
const GET_NEAREST_DC = int(0x1fb33026);
const GET_CONFIG = int(0xc4f9186b);

/** Answer pings, and help.getNearestDc and help.getConfig however they are wrapped; null for anything else. */
export function replyTo(dc: number, messageId: Buffer, body: Buffer): Buffer | null {
  if (PINGS.includes(body.readUInt32LE(0))) {
    return Buffer.concat([int(0x347773c5), messageId, body.subarray(4, 12)]);
  }
  const result = (...parts: Buffer[]): Buffer => Buffer.concat([int(0xf35c6d01), messageId, ...parts]);
  if (body.includes(GET_NEAREST_DC)) return result(int(0x8e1a1775), tlBytes(Buffer.from('NL')), int(dc), int(dc));
  if (body.includes(GET_CONFIG)) return result(config(dc));
  return null;
}

/** A config without options: no addresses, every number 0 but the times and the DC's own. */
function config(dc: number): Buffer {
  const now = Math.floor(Date.now() / 1000);
  const [no, none, empty] = [int(0xbc799737), Buffer.concat([int(0x1cb5c415), int(0)]), tlBytes(Buffer.alloc(0))];
  const numbers = (count: number): Buffer => Buffer.alloc(4 * count);
  const before = Buffer.concat([int(0), int(now), int(now + 3600), no, int(dc), none, empty]);
  return Buffer.concat([int(0xcc1a241e), before, numbers(21), empty, numbers(3)]);
}

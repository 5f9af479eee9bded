import dgram from 'node:dgram';

/** A name server on loopback that knows IPv4 addresses of some names, and says of all others that there are none (RFC 1035). */
export interface NameServer {
  /** As `Resolver.setServers` reads it. */
  address: string;
  close: () => Promise<void>;
}

const NO_SUCH_NAME = 3;

export async function startNameServer(names: Record<string, string>, host = '127.0.0.1', at = 0): Promise<NameServer> {
  const socket = dgram.createSocket('udp4');
  socket.on('message', (query, { address, port }) => socket.send(answer(query, names), port, address));
  await new Promise<void>((resolve) => socket.bind(at, host, resolve));
  return {
    address: `${host}:${socket.address().port}`,
    close: async () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function answer(query: Buffer, names: Record<string, string>): Buffer {
  const labels: string[] = [];
  let place = 12;
  for (let length = query[place] ?? 0; length > 0; length = query[place] ?? 0) {
    labels.push(query.toString('latin1', place + 1, place + 1 + length));
    place += 1 + length;
  }
  const question = query.subarray(12, place + 5);
  const known = names[labels.join('.').toLowerCase()];
  const asksA = query.readUInt16BE(place + 1) === 1;
  const records = known !== undefined && asksA ? [known] : [];
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8180 | (known === undefined ? NO_SUCH_NAME : 0), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  const answers = records.map((record) => {
    const resource = Buffer.from('c00c000100010000003c0004', 'hex');
    return Buffer.concat([resource, Buffer.from(record.split('.').map(Number))]);
  });
  return Buffer.concat([head, question, ...answers]);
}

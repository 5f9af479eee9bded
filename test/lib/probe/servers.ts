import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { openHeader } from '../../../src/lib/protocol/obfuscated2.ts';
import { authenticate, collectHello, readHello } from '../../../src/lib/protocol/client-hello.ts';
import { chooseCipher, FLIGHT_BUFFER, serverFlight } from '../../../src/lib/protocol/server-flight.ts';
import { x25519Share } from '../../../src/lib/probe/client-hello.ts';
import { frameRecords, framedBytes, RecordReader } from '../../../src/lib/protocol/tls-record.ts';

/** Peers for the probes to talk to; each listens on an ephemeral port of loopback and is closed by its test. */
export interface Peer {
  host: string;
  port: number;
  close(): Promise<void>;
}

export async function listen(server: net.Server, port = 0): Promise<Peer> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export async function raw(onSocket: (socket: net.Socket) => void, port = 0): Promise<Peer> {
  return listen(net.createServer(onSocket), port);
}

const certificate = (() => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'mtp-cover-'));
  const key = path.join(dir, 'key.pem');
  const cert = path.join(dir, 'cert.pem');
  const subject = ['-subj', '/CN=cover.test', '-keyout', key, '-out', cert];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', ...subject],
    { stdio: 'ignore' },
  );
  const pair = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(dir, { recursive: true });
  return pair;
})();

export async function cover(options: tls.TlsOptions): Promise<Peer> {
  return listen(tls.createServer({ ...certificate, ...options }).on('tlsClientError', () => undefined));
}

/** Passes bytes on to `to` and keeps what came back. */
export async function tap(to: Peer): Promise<Peer & { seen: () => Buffer }> {
  let seen = Buffer.alloc(0);
  const peer = await raw((socket) => {
    const upstream = net.connect(to.port, to.host);
    upstream.on('error', () => socket.destroy());
    upstream.on('data', (chunk: Buffer) => (seen = Buffer.concat([seen, chunk])));
    socket.pipe(upstream).pipe(socket);
    socket.on('close', () => upstream.destroy());
  });
  return { ...peer, seen: () => seen };
}

/** The resPQ that a DC gives to the request in one padded frame. */
export function resPq(frame: Buffer): Buffer {
  const answer = Buffer.alloc(4 + 20 + 4 + 32 + 24);
  answer.writeUInt32LE(answer.length - 4);
  Buffer.from('63241605', 'hex').copy(answer, 24);
  frame.copy(answer, 28, 28, 44);
  return answer;
}

/** Serves obfuscated2 on a stream of plain bytes and answers its first frame. */
function telegram(secret: Buffer | null, write: (bytes: Buffer) => void, fail: () => void): (bytes: Buffer) => void {
  let have = Buffer.alloc(0);
  let answered = false;
  return (bytes) => {
    have = Buffer.concat([have, bytes]);
    if (answered || have.length < 64 + 44) return;
    answered = true;
    const opened = openHeader(have, secret);
    if (opened === null) return fail();
    write(opened.down.apply(resPq(opened.up.apply(have.subarray(64)))));
  };
}

/** A DC, or with a secret a proxy of the bare forms. */
export async function bareTelegram(secret: Buffer | null): Promise<Peer> {
  return raw((socket) =>
    socket.on(
      'data',
      telegram(
        secret,
        (bytes) => socket.write(bytes),
        () => socket.destroy(),
      ),
    ),
  );
}

/** A fake-TLS proxy that shows `to` to strangers; on any port if none is given. */
export async function fakeTlsProxy(secret: Buffer, to: Pick<Peer, 'host' | 'port'>, port = 0): Promise<Peer> {
  return raw((socket) => {
    let hello = Buffer.alloc(0);
    const onHello = (chunk: Buffer): void => {
      hello = Buffer.concat([hello, chunk]);
      const collected = collectHello(hello);
      if (collected.state !== 'complete') return;
      socket.off('data', onHello);
      const read = readHello(collected.record);
      if (read === null || authenticate(read, secret) === null) {
        const upstream = net.connect(to.port, to.host);
        upstream.write(hello);
        upstream.on('error', () => socket.destroy());
        socket.pipe(upstream).pipe(socket);
        return;
      }
      const x25519 = x25519Share(randomBytes);
      const cipher = chooseCipher(read.ciphers) as number;
      const parts = { hello: read, key: secret, cipher, x25519, mlkem: null, body: randomBytes(1500) };
      socket.write(serverFlight(parts, Buffer.alloc(FLIGHT_BUFFER)));
      const records = new RecordReader();
      const serve = telegram(
        secret,
        (bytes) => {
          const framed = Buffer.alloc(framedBytes(bytes.length));
          frameRecords(bytes, framed);
          socket.write(framed);
        },
        () => socket.destroy(),
      );
      socket.on('data', (data: Buffer) => serve(Buffer.from(data.subarray(0, records.unwrap(data, data.length)))));
    };
    socket.on('data', onHello);
  }, port);
}

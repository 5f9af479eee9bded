import net, { type AddressInfo } from 'node:net';
import { answerPq, frame, nonceOf, readOpening, sequence, type Stream, type Tag, unframe } from './wire.ts';

/**
 * What a fake data centre does after the opening. `frames` answers key exchange requests, and sends as many bytes of a known
 * sequence as a 12-byte frame "bulk" + u64 asks for; `echo` returns every byte; `mute` answers nothing; `reset` resets the
 * connection at the first byte after the opening.
 */
export type DcManner = 'frames' | 'echo' | 'mute' | 'reset';

export interface FakeDc {
  host: string;
  port: number;
  /** Address alone, for settings. */
  endpoint: { host: string; port: number };
  /** Openings seen, in order. */
  openings: { tag: Tag; dc: number }[];
  /** Connections whose opening no data centre would understand. */
  strangers: number;
  open: number;
  close: () => Promise<void>;
}

export async function startFakeDc(manner: DcManner = 'frames', host = '127.0.0.1'): Promise<FakeDc> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    dc.open += 1;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      dc.open -= 1;
    });
    serve(socket, manner, dc);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  const dc: FakeDc = {
    host,
    port,
    endpoint: { host, port },
    openings: [],
    strangers: 0,
    open: 0,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return dc;
}

function serve(socket: net.Socket, manner: DcManner, dc: FakeDc): void {
  let waiting: Buffer = Buffer.alloc(0);
  let session: { tag: Tag; stream: Stream } | undefined;
  socket.on('data', (chunk) => {
    waiting = Buffer.concat([waiting, chunk]);
    if (session === undefined) {
      if (waiting.length < 64) return;
      const opening = readOpening(waiting.subarray(0, 64));
      if (opening === null) {
        dc.strangers += 1;
        socket.destroy();
        return;
      }
      dc.openings.push({ tag: opening.tag, dc: opening.dc });
      session = opening;
      waiting = opening.stream.decrypt(waiting.subarray(64));
    } else {
      waiting = Buffer.concat([waiting.subarray(0, -chunk.length), session.stream.decrypt(chunk)]);
    }
    if (waiting.length > 0) waiting = react(socket, manner, session, waiting);
  });
}

/** Act on the plain bytes and return those that are not used up. */
function react(
  socket: net.Socket,
  manner: DcManner,
  { tag, stream }: { tag: Tag; stream: Stream },
  plain: Buffer,
): Buffer {
  let rest = Buffer.from(plain);
  switch (manner) {
    case 'mute':
      return Buffer.alloc(0);
    case 'reset':
      socket.resetAndDestroy();
      return Buffer.alloc(0);
    case 'echo':
      socket.write(stream.encrypt(rest));
      return Buffer.alloc(0);
    case 'frames':
      for (let next = unframe(tag, rest); next !== null; next = unframe(tag, rest)) {
        const { payload, used } = next;
        const nonce = nonceOf(payload);
        if (nonce !== null) socket.write(stream.encrypt(frame(tag, answerPq(nonce))));
        else if (payload.toString('latin1', 0, 4) === 'bulk') {
          socket.write(stream.encrypt(sequence(Number(payload.readBigUInt64LE(4)))));
        }
        rest = Buffer.from(rest.subarray(used));
      }
      return rest;
  }
}

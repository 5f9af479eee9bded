import net, { type AddressInfo } from 'node:net';
import { Dialogue, makeServerKey, type ServerKey } from './key-exchange.ts';
import { answerPq, frame, nonceOf, readOpening, sequence, type Stream, type Tag, unframe } from './wire.ts';

/**
 * What a fake data centre does after the opening. `frames` answers key exchange requests, and sends as many bytes of a known
 * sequence as a 12-byte frame "bulk" + u64 asks for; `echo` returns every byte; `mute` answers nothing; `reset` resets the
 * connection at the first byte after the opening. `mtproto` goes all the way: a key exchange and a first call.
 */
export type DcManner = 'frames' | 'echo' | 'mute' | 'reset' | 'mtproto';

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
  /** Key that clients of the `mtproto` manner must know, in PEM. */
  publicKey: string | null;
  /** Take no more connections; those that are there go on. */
  stopListening: () => void;
  /** End the connections on which nobody has spoken, by FIN or RST. */
  cutSilent: (how: 'FIN' | 'RST') => void;
  close: () => Promise<void>;
}

export async function startFakeDc(manner: DcManner = 'frames', host = '127.0.0.1', at = 0): Promise<FakeDc> {
  const keyring = manner === 'mtproto' ? { key: makeServerKey(), keys: new Map<string, Buffer>() } : null;
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    dc.open += 1;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      dc.open -= 1;
    });
    serve(socket, manner, dc, keyring);
  });
  await new Promise<void>((resolve) => server.listen(at, host, resolve));
  const { port } = server.address() as AddressInfo;
  const dc: FakeDc = {
    host,
    port,
    endpoint: { host, port },
    openings: [],
    strangers: 0,
    open: 0,
    publicKey: keyring?.key.publicPem ?? null,
    stopListening: () => server.close(),
    cutSilent: (how) => {
      for (const socket of sockets) {
        if (socket.bytesRead > 0) continue;
        if (how === 'FIN') socket.end();
        else socket.resetAndDestroy();
      }
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return dc;
}

interface Keyring {
  key: ServerKey;
  keys: Map<string, Buffer>;
}

function serve(socket: net.Socket, manner: DcManner, dc: FakeDc, keyring: Keyring | null): void {
  const dialogue = keyring === null ? null : new Dialogue(keyring.key, keyring.keys);
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
    if (waiting.length > 0) waiting = react(socket, manner, session, waiting, dialogue);
  });
}

/** Act on the plain bytes and return those that are not used up. */
function react(
  socket: net.Socket,
  manner: DcManner,
  { tag, stream }: { tag: Tag; stream: Stream },
  plain: Buffer,
  dialogue: Dialogue | null,
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
    case 'mtproto':
    case 'frames':
      for (let next = unframe(tag, rest); next !== null; next = unframe(tag, rest)) {
        const { payload, used } = next;
        for (const answer of dialogue?.answer(payload) ?? []) socket.write(stream.encrypt(frame(tag, answer)));
        const nonce = dialogue === null ? nonceOf(payload) : null;
        if (nonce !== null) socket.write(stream.encrypt(frame(tag, answerPq(nonce))));
        else if (payload.toString('latin1', 0, 4) === 'bulk') {
          socket.write(stream.encrypt(sequence(Number(payload.readBigUInt64LE(4)))));
        }
        rest = Buffer.from(rest.subarray(used));
      }
      return rest;
  }
}

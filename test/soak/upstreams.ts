import net, { type AddressInfo } from 'node:net';
import { startPlainCover } from '../support/plain-cover.ts';
import { readOpening, type Stream } from '../support/wire.ts';

/**
 * The cover and the data centres of a soak, in a process of their own. One data centre echoes; the other has moods that decide
 * over its new connections: it echoes, resets, says nothing, is slow, or is not there.
 */

const MOODS = ['echo', 'reset', 'mute', 'echo', 'slow', 'gone'] as const;
type Mood = (typeof MOODS)[number];

/** How long a mood lasts. */
const MOOD_MS = 2500;
const SLOW_MS = 300;

let mood: Mood = 'echo';
let open = 0;

function serve(socket: net.Socket, moody: boolean): void {
  let waiting: Buffer = Buffer.alloc(0);
  let stream: Stream | null = null;
  const manner = moody ? mood : 'echo';
  open += 1;
  socket.on('error', () => undefined);
  socket.on('close', () => (open -= 1));
  socket.on('drain', () => socket.resume());
  socket.on('data', (chunk) => {
    let plain: Buffer = Buffer.alloc(0);
    if (stream !== null) plain = stream.decrypt(chunk);
    else {
      waiting = Buffer.concat([waiting, chunk]);
      if (waiting.length < 64) return;
      stream = readOpening(waiting.subarray(0, 64))?.stream ?? null;
      if (stream === null) {
        socket.destroy();
        return;
      }
      plain = stream.decrypt(waiting.subarray(64));
    }
    if (plain.length > 0) answer(socket, stream.encrypt(plain), moody && mood === 'reset' ? mood : manner);
  });
}

function answer(socket: net.Socket, bytes: Buffer, manner: Mood): void {
  switch (manner) {
    case 'echo':
      if (!socket.write(bytes)) socket.pause();
      return;
    case 'slow':
      socket.pause();
      setTimeout(() => {
        socket.write(bytes);
        socket.resume();
      }, SLOW_MS);
      return;
    case 'reset':
    case 'gone':
      socket.resetAndDestroy();
      return;
    case 'mute':
  }
}

async function listen(moody: boolean, port: number): Promise<net.Server> {
  const server = net.createServer({ noDelay: true }, (socket) => serve(socket, moody));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

const portOf = (server: net.Server): number => (server.address() as AddressInfo).port;

const [cover, steady] = await Promise.all([startPlainCover(), listen(false, 0)]);
let moody = await listen(true, 0);
const ports = { cover: cover.port, steady: portOf(steady), moody: portOf(moody) };

let turn = 0;
setInterval(() => {
  const before = mood;
  mood = MOODS[++turn % MOODS.length] ?? 'echo';
  if (mood === 'gone') moody.close();
  if (before === 'gone') void listen(true, ports.moody).then((server) => (moody = server));
}, MOOD_MS);

process.on('message', () => process.send?.({ open: open + cover.open() }));
process.on('disconnect', () => process.exit(0));
process.send?.(ports);

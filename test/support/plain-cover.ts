import { createHash } from 'node:crypto';
import net, { type AddressInfo } from 'node:net';

/**
 * A cover whose every answer follows from the bytes it was sent, so that it can be compared with itself: when its client says
 * FIN, or nothing for a while, it answers with their checksum, and closes in one of several ways.
 */

export interface PlainCover {
  host: string;
  port: number;
  open: () => number;
  close: () => Promise<void>;
}

const QUIET_MS = 600;

export async function startPlainCover(): Promise<PlainCover> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    open: () => sockets.size,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function serve(socket: net.Socket): void {
  const hash = createHash('sha256');
  let count = 0;
  let over = false;
  const finish = (): void => {
    if (over) return;
    over = true;
    answer(socket, count, hash.digest());
  };
  socket.setNoDelay(true);
  socket.setTimeout(QUIET_MS, finish);
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    count += chunk.length;
    hash.update(chunk);
  });
  socket.on('end', finish);
}

/** By the checksum: a short answer and FIN, a long one, RST after an answer, RST alone. Silence and FIN get FIN. */
function answer(socket: net.Socket, count: number, digest: Buffer): void {
  if (count === 0) {
    socket.end();
    return;
  }
  const text = Buffer.from(`cover ${count} ${digest.toString('hex')}\n`);
  switch ((digest[0] ?? 0) % 4) {
    case 0:
      socket.end(text);
      return;
    case 1:
      socket.end(Buffer.concat(Array.from({ length: 4000 }, () => text)));
      return;
    case 2:
      // What has not been read when the reset comes is lost; no client stalls for so long.
      socket.write(text);
      setTimeout(() => socket.resetAndDestroy(), 500);
      return;
    default:
      socket.resetAndDestroy();
  }
}

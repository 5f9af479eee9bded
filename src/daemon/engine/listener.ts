import net from 'node:net';
import type { Endpoint } from '../supervisor/engine.ts';
import { Conn } from './conn.ts';

export interface Listener {
  port: number;
  /** Accept no more; open connections are not touched. */
  close(): void;
}

export interface ListenerEvents {
  /** An accepted connection, which has to be owned before this returns. */
  onConnection: (conn: Conn) => void;
  onAcceptError: (code: string) => void;
}

/** What we use of the handle under a server, if this Node has it. */
interface ServerHandle {
  onconnection?: (status: number, handle: unknown) => void;
}

/** An address that several workers share by SO_REUSEPORT, or a socket that is bound to one. */
export type ListenAt = (Endpoint | { fd: number }) & { backlog: number };

/**
 * Listen on an address or an inherited socket. Accepted handles are taken before net.Server wraps them,
 * because it cannot be told to use a read buffer of ours; where that is not possible, its sockets are used as streams.
 */
export async function listen(at: ListenAt, events: ListenerEvents): Promise<Listener> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const conn = new Conn(() => socket);
    socket.on('data', (chunk: Buffer) => conn.feed(chunk));
    events.onConnection(conn);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen('fd' in at ? at : { ...at, reusePort: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', (error: NodeJS.ErrnoException) => events.onAcceptError(error.code ?? error.message));
  takeHandles(server, events);
  const { port } = server.address() as net.AddressInfo;
  return { port, close: () => server.close() };
}

function takeHandles(server: net.Server, events: ListenerEvents): void {
  const { _handle: handle } = server as unknown as { _handle?: ServerHandle | null };
  if (typeof handle?.onconnection !== 'function') return;
  handle.onconnection = (status, accepted) => {
    if (status !== 0 || accepted === undefined) {
      events.onAcceptError(String(status));
      return;
    }
    const options = { handle: accepted, allowHalfOpen: true };
    events.onConnection(new Conn((onread) => new net.Socket({ ...options, onread })));
  };
}

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import type { Endpoint } from '../../src/daemon/supervisor/engine.ts';
import { KEY } from './engine.ts';
import { acceptsHello, connectEe, type Peer } from './raw-client.ts';

/** Clients that connect, ask Telegram something and leave, over and over. */
export interface Load {
  /** Sessions that went well. */
  done: () => number;
  /** Resolves when so many went well, or something failed. */
  reached: (count: number) => Promise<void>;
  /** `failed` has a word for each session that did not go well. */
  stop: () => Promise<{ done: number; failed: string[] }>;
}

const CLIENTS = 24;

export function startLoad(at: Endpoint): Load {
  let [running, done] = [true, 0];
  const failed: string[] = [];
  const client = async (): Promise<void> => {
    while (running) {
      const outcome = await visit(at);
      if (outcome === 'ok') done += 1;
      else failed.push(outcome);
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);
  return {
    done: () => done,
    reached: async (count) => {
      while (done < count && failed.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    stop: async () => {
      running = false;
      await Promise.all(clients);
      return { done, failed };
    },
  };
}

async function visit(at: Endpoint): Promise<string> {
  try {
    const session = await connectEe(at, { key: KEY });
    if (session === null) return 'the hello was not answered';
    const answered = await session.reqPq();
    session.peer.close();
    return answered ? 'ok' : 'no answer of Telegram';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

/** Whether a hello is answered as that of a client. */
export async function accepts(peer: Peer, hello: Buffer): Promise<boolean> {
  peer.send(hello);
  return acceptsHello(peer, hello, KEY);
}

export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function refuses({ host, port }: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, host);
    socket.once('error', () => resolve(true));
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
  });
}

/** A process that has ended and was not waited for yet does not run. */
export function isRunning(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`).length > 0;
  } catch {
    return false;
  }
}

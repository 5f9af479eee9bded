import net from 'node:net';
import { Worker } from 'node:worker_threads';

/** An address that drops every SYN: a listener that accepts nothing, with its queue full. */
export interface BlackHole {
  endpoint: { host: string; port: number };
  close: () => Promise<void>;
}

const LISTENER = `
  const { parentPort, workerData: host } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ host, port: 0, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;
const MOST = 16;

export async function startBlackHole(host: string): Promise<BlackHole> {
  const worker = new Worker(LISTENER, { eval: true, workerData: host });
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const fillers: net.Socket[] = [];
  const close = async (): Promise<void> => {
    for (const filler of fillers) filler.destroy();
    await worker.terminate();
  };
  while (fillers.length < MOST) {
    const filler = net.connect(port, host);
    filler.on('error', () => undefined);
    fillers.push(filler);
    if (!(await connects(filler))) return { endpoint: { host, port }, close };
  }
  await close();
  throw new Error(`the queue of a listener took ${MOST} connections`);
}

/** On loopback a connect that takes half a second hangs. */
async function connects(socket: net.Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true));
    setTimeout(() => resolve(false), 500);
  });
}

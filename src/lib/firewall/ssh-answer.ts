import { networkInterfaces } from 'node:os';
import net from 'node:net';
import type { SshFacts } from '../host/ssh.ts';

/** How a new connection to SSH went. */
export interface SshAnswer {
  port: number;
  address: string;
  ok: boolean;
  /** The greeting, or what went wrong. */
  detail: string;
}

const WAIT_MS = 5000;

/** Connect to SSH on every port, by the address that this session came to, or the first one of this machine. */
export async function askSsh({ ports, server }: Pick<SshFacts, 'ports' | 'server'>): Promise<SshAnswer[]> {
  const address = server ?? ownAddress() ?? '127.0.0.1';
  return Promise.all(ports.map(async (port) => ({ port, address, ...(await greeting(address, port)) })));
}

function ownAddress(): string | undefined {
  const entries = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  return entries.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
}

async function greeting(host: string, port: number): Promise<{ ok: boolean; detail: string }> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    const end = (ok: boolean, detail: string): void => {
      socket.destroy();
      resolve({ ok, detail });
    };
    socket.setTimeout(WAIT_MS, () => end(false, 'no answer'));
    socket.once('data', (data) => end(true, data.toString('latin1').split('\r')[0]?.slice(0, 80) ?? ''));
    socket.once('end', () => end(false, 'it closed the connection'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(false, error.code ?? error.message));
  });
}

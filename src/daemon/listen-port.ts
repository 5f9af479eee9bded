import net from 'node:net';
import { errnoCode, EXIT, MtpError } from '../lib/errors.ts';
import { formatEndpoint } from '../lib/config/address.ts';
import { findPortHolder } from '../lib/system/port-holder.ts';
import type { Endpoint } from './supervisor/engine.ts';

/** 443 looks most like a website; 8443 needs no privilege. */
const USUAL_PORT = 443;
const FALLBACK_PORT = 8443;

/** The port of a first run that names none: 443 where it may be bound and is free. */
export async function choosePort(host: string): Promise<number> {
  return (await bindError({ host, port: USUAL_PORT })) === undefined ? USUAL_PORT : FALLBACK_PORT;
}

/**
 * Refuse an endpoint that cannot be listened on. The engine shares its port among its workers, and by that with any other
 * program that does the same, so a second proxy would go unnoticed without this.
 */
export async function assertBindable(endpoint: Endpoint): Promise<void> {
  const error = await bindError(endpoint);
  if (error !== undefined) throw await explainListenError(endpoint, error);
}

/** What keeps a listener from an endpoint, with the program that holds the port where that can be seen. */
export async function explainListenError(endpoint: Endpoint, cause: unknown): Promise<unknown> {
  const { host, port } = endpoint;
  const code = errnoCode(cause);
  const fail = (message: string, hint: string): MtpError =>
    new MtpError(`LISTEN_${code ?? 'FAILED'}`, message, { cause, hint, exit: EXIT.precondition });
  if (code === 'EADDRINUSE') {
    const holder = await findPortHolder(port);
    const who = holder === undefined ? 'another program' : `${holder.name} (pid ${holder.pid})`;
    return fail(`port ${port} is taken by ${who}`, 'Stop that program, or choose another port with --port.');
  }
  if (code === 'EACCES') {
    return fail(
      `port ${port} may not be bound by this user`,
      'Run as root, give node CAP_NET_BIND_SERVICE, or choose a port from 1024 up, such as --port 8443.',
    );
  }
  if (code === 'EADDRNOTAVAIL') {
    return fail(`${host} is not an address of this machine`, 'Correct listen.host, or leave it out for all addresses.');
  }
  return cause instanceof MtpError
    ? cause
    : fail(`cannot listen on ${formatEndpoint(endpoint)}: ${String(cause)}`, 'Check listen.host and listen.port.');
}

async function bindError({ host, port }: Endpoint): Promise<Error | undefined> {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

import net from 'node:net';
import { errnoCode } from '../errors.ts';
import { findPortHolder, type PortHolder } from '../system/port-holder.ts';

export type PortFacts =
  { port: number; free: true } | { port: number; free: false; reason: string; holder: PortHolder | null };

/** Whether a port of all addresses can be listened on now, and who holds it where not. */
export async function checkPort(port: number): Promise<PortFacts> {
  const error = await bindError(port, '::').then(async (first) =>
    errnoCode(first) === 'EAFNOSUPPORT' ? bindError(port, '0.0.0.0') : first,
  );
  if (error === undefined) return { port, free: true };
  const code = errnoCode(error);
  const holder = code === 'EADDRINUSE' ? ((await findPortHolder(port)) ?? null) : null;
  const who = holder === null ? 'another program' : `${holder.name} (pid ${holder.pid})`;
  const reason =
    code === 'EADDRINUSE'
      ? `taken by ${who}`
      : code === 'EACCES'
        ? 'not allowed for this user'
        : (code ?? 'not usable');
  return { port, free: false, reason, holder };
}

async function bindError(port: number, host: string): Promise<Error | undefined> {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { markOf } from './left-over.ts';

const SERVERS = fileURLToPath(new URL('../lib/probe/servers.ts', import.meta.url));

/** A program with the command line of mtg 2 that accepts one secret of fake TLS and answers as Telegram does. */
const PROGRAM = `
const { fakeTlsProxy } = await import(${JSON.stringify(SERVERS)});
const [, bind, secret] = process.argv.slice(2);
const key = Buffer.from(secret.slice(2, 34), 'hex');
if (process.env.STAND_IN_REFUSES) key.reverse();
if (process.env.STAND_IN_STAYS) process.on('SIGTERM', () => process.stdout.write('.'));
await fakeTlsProxy(key, { host: '127.0.0.1', port: 9 }, Number(process.env.STAND_IN_PORT ?? bind.split(':')[1]));
process.stdout.write('.');
`;

/** Start it; it listens when this resolves. `home` is a directory of the test, whose processes are ended with it. */
export async function startOtherProxy(
  home: string,
  { port, secret, env = {} }: { port: number; secret: string; env?: NodeJS.ProcessEnv },
): Promise<ChildProcess & { pid: number }> {
  const program = path.join(home, 'mtg');
  await writeFile(program, PROGRAM);
  const child = spawn(process.execPath, [program, 'simple-run', `127.0.0.1:${port}`, secret], {
    env: { ...process.env, ...markOf(home), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  if (child.pid === undefined || child.exitCode !== null) throw new Error('the other proxy did not start');
  return child as ChildProcess & { pid: number };
}

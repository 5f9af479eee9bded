import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Run a script by sh in a session of its own, which the end of this process does not end. Resolves to its exit status and
 * the last it said.
 */
export async function runScript(file: string): Promise<{ status: number | null; said: string }> {
  const child = spawn('/bin/sh', [file], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => void (said = (said + text).slice(-4096)));
  }
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, said: said.trim() };
}

/** Start a script by sh that goes on when this process has ended. */
export async function startScript(file: string, ...args: string[]): Promise<void> {
  const child = spawn('/bin/sh', [file, ...args], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, LC_ALL: 'C' },
  });
  await once(child, 'spawn');
  child.unref();
}

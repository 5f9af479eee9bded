import { spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import type { Ended } from './installation.ts';

/** Run a program to its end, while what it talks to in this process goes on. Nothing is on its standard input. */
export async function runProgram(
  [program = '', ...args]: readonly string[],
  options: Pick<SpawnOptions, 'env' | 'cwd'> = {},
): Promise<Ended> {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, 'close');
  return { status: child.exitCode, stdout, stderr };
}

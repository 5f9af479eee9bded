import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { isOver, watchOver } from './children.ts';
import { type Endpoint, nameOf, type Target } from './generator.ts';
import { type Running, secretOf, type Site } from './site.ts';

/** The relay in C that everything is compared with. */

export interface RelayOptions {
  fast?: boolean;
  /** Use one x25519 key for all handshakes. */
  givenKey?: boolean;
}

export async function startRelay(program: string, site: Site, options: RelayOptions = {}): Promise<Running> {
  const args = ['-c', site.proxyCores, program, '--listen', '127.0.0.1:0', '--dc', nameOf(site.dc)];
  args.push('--secret', site.key, '--cover', nameOf(site.cover));
  if (options.fast === true) args.push('--fast');
  if (options.givenKey === true) args.push('--given-key');
  const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  watchOver(child.pid);
  const at: Endpoint = { host: '127.0.0.1', port: await firstLine(child) };
  const target: Target = { at, secret: secretOf(site), dc: site.dc, cover: site.cover, pids: [child.pid ?? 0] };
  return { name: 'C', target, accelerated: false, stop: async () => ended(child) };
}

async function firstLine(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the relay ended with status ${code ?? 'unknown'}`)));
    if (child.stdout !== null) createInterface(child.stdout).once('line', (line) => resolve(Number(line)));
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const end = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await end;
  isOver(child.pid);
}

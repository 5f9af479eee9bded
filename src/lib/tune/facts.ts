import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { loadConfig } from '../config/load.ts';
import { connectionCap } from '../system/limits.ts';
import type { Paths } from '../system/paths.ts';
import type { Kernel } from './kernel.ts';
import type { TuneFacts } from './keys.ts';

/** What this machine and its configuration say. */
export async function tuneFacts(paths: Paths, kernel: Kernel): Promise<TuneFacts> {
  const { settings } = await loadConfig({ file: paths.configFile, env: process.env });
  const { connections } = settings.limits;
  return {
    memoryMb: os.totalmem() / 2 ** 20,
    connections: connections === 'auto' ? connectionCap(os.totalmem(), undefined).connections : connections,
    port: settings.listen.port,
    bbr: await hasBbr(kernel, os.release()),
  };
}

async function hasBbr(kernel: Kernel, release: string): Promise<boolean> {
  const offered = await kernel.read('net.ipv4.tcp_available_congestion_control');
  if (offered?.split(' ').includes('bbr') === true) return true;
  const modules = await readFile(`/lib/modules/${release}/modules.dep`, 'utf8').catch(() => '');
  return /\/tcp_bbr\.ko/.test(modules);
}

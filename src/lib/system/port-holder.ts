import { readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';

export interface PortHolder {
  name: string;
  pid: number;
}

const LISTEN = '0A';

/** Inodes of the sockets that listen on a TCP port, from the text of `/proc/net/tcp` or `tcp6`. */
export function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) === true && fields[3] === LISTEN)
    .flatMap((fields) => fields[9] ?? []);
}

/**
 * The program that listens on a TCP port of this machine. Undefined when nothing does, or when its process belongs to
 * somebody else and only root may see it.
 */
export async function findPortHolder(port: number, proc = '/proc'): Promise<PortHolder | undefined> {
  const tables = await Promise.all(['net/tcp', 'net/tcp6'].map((name) => readOr('', path.join(proc, name))));
  const wanted = new Set(tables.flatMap((table) => listeningInodes(table, port)).map((inode) => `socket:[${inode}]`));
  if (wanted.size === 0) return undefined;
  for (const entry of await readdir(proc)) {
    if (!/^\d+$/.test(entry) || !(await holdsAny(path.join(proc, entry, 'fd'), wanted))) continue;
    return { name: (await readOr('', path.join(proc, entry, 'comm'))).trim(), pid: Number(entry) };
  }
  return undefined;
}

async function holdsAny(fds: string, sockets: Set<string>): Promise<boolean> {
  const names = await readdir(fds).catch(() => []);
  const targets = await Promise.all(names.map((name) => readlink(path.join(fds, name)).catch(() => '')));
  return targets.some((target) => sockets.has(target));
}

/** Processes come and go, and foreign ones are closed to us: what cannot be read counts as empty. */
async function readOr(fallback: string, file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => fallback);
}

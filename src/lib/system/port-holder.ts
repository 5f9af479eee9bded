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
 * The programs that listen on a TCP port of this machine, lowest process first. None when nothing does, or when they belong
 * to somebody else and only root may see them.
 */
export async function findPortHolders(port: number, proc = '/proc'): Promise<PortHolder[]> {
  const tables = await Promise.all(['net/tcp', 'net/tcp6'].map((name) => readOr('', path.join(proc, name))));
  const wanted = new Set(tables.flatMap((table) => listeningInodes(table, port)).map((inode) => `socket:[${inode}]`));
  if (wanted.size === 0) return [];
  const pids = (await readdir(proc)).filter((entry) => /^\d+$/.test(entry)).sort((a, b) => Number(a) - Number(b));
  const holders: PortHolder[] = [];
  for (const pid of pids) {
    if (!(await holdsAny(path.join(proc, pid, 'fd'), wanted))) continue;
    holders.push({ name: (await readOr('', path.join(proc, pid, 'comm'))).trim(), pid: Number(pid) });
  }
  return holders;
}

/** The first of those programs; undefined when there is none to be seen. */
export async function findPortHolder(port: number, proc = '/proc'): Promise<PortHolder | undefined> {
  return (await findPortHolders(port, proc))[0];
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

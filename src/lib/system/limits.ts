import { readFile } from 'node:fs/promises';
import { errnoCode } from '../errors.ts';

/** The soft limit of open files in the text of `/proc/PID/limits`; undefined where the line is missing or unlimited. */
export function parseOpenFiles(limits: string): number | undefined {
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}

/** How many files this process may hold open (RLIMIT_NOFILE); undefined where the system does not say. */
export async function openFilesLimit(file = '/proc/self/limits'): Promise<number | undefined> {
  try {
    return parseOpenFiles(await readFile(file, 'utf8'));
  } catch (error) {
    if (errnoCode(error) === undefined) throw error;
    return undefined;
  }
}

export interface ConnectionCap {
  /** Client connections at once. */
  connections: number;
  /** What decided it. */
  bound: 'memory' | 'open-files' | 'floor';
}

const RESERVED_MB = 300;
const HALF_CONNECTIONS_PER_MB = 10;
const FLOOR = 100;
const RESERVED_FILES = 512;
const LEAST = 16;

/**
 * How many connections the machine carries: ten sockets a megabyte after 300 MB for the system, two sockets a connection,
 * not below 100, and never more than the open files allow.
 */
export function connectionCap(memoryBytes: number, openFiles: number | undefined): ConnectionCap {
  const byMemory = Math.floor(((memoryBytes / 2 ** 20 - RESERVED_MB) * HALF_CONNECTIONS_PER_MB) / 2);
  const wanted: ConnectionCap =
    byMemory < FLOOR ? { connections: FLOOR, bound: 'floor' } : { connections: byMemory, bound: 'memory' };
  if (openFiles === undefined) return wanted;
  const byFiles = Math.max(LEAST, Math.floor((openFiles - RESERVED_FILES) / 2));
  return byFiles < wanted.connections ? { connections: byFiles, bound: 'open-files' } : wanted;
}

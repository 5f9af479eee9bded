import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errnoCode } from '../errors.ts';

/** The settings of the running kernel, by the names that sysctl(8) uses. */
export interface Kernel {
  /** The value with single spaces; undefined where the kernel does not have the key or does not show it. */
  read: (key: string) => Promise<string | undefined>;
  /** Set a value and read it back: undefined, or what keeps it from being set. */
  write: (key: string, value: string) => Promise<string | undefined>;
}

export function kernelAt(root = '/proc/sys'): Kernel {
  const fileOf = (key: string): string => path.join(root, ...key.split('.'));
  const read = async (key: string): Promise<string | undefined> => {
    const text = await readFile(fileOf(key), 'utf8').catch(() => undefined);
    return text?.trim().replace(/\s+/g, ' ');
  };
  return {
    read,
    write: async (key, value) => {
      try {
        await writeFile(fileOf(key), `${value}\n`);
      } catch (error) {
        return `the kernel refuses ${value}: ${errnoCode(error) ?? String(error)}`;
      }
      const now = await read(key);
      return now === value ? undefined : `it stays ${now ?? 'unreadable'}`;
    },
  };
}

import { access, readFile } from 'node:fs/promises';
import path from 'node:path';

/** What this machine is. */
export interface MachineFacts {
  /** As a person calls it, such as "Debian GNU/Linux 12". */
  system: string;
  /** Whether systemd runs the services, is only there, or is not. */
  systemd: 'running' | 'installed' | 'none';
  memoryMb: number;
  swapMb: number;
}

/** Read from the files of a system whose root is given. */
export async function readMachineFacts(root = '/'): Promise<MachineFacts> {
  const text = async (file: string): Promise<string> => readFile(path.join(root, file), 'utf8').catch(() => '');
  const memory = await readFile('/proc/meminfo', 'utf8').catch(() => '');
  return {
    system: systemName(await text('etc/os-release')),
    systemd: (await exists(path.join(root, 'run/systemd/system')))
      ? 'running'
      : (await exists(path.join(root, 'etc/systemd/system')))
        ? 'installed'
        : 'none',
    memoryMb: kilobytes(memory, 'MemTotal') / 1024,
    swapMb: kilobytes(memory, 'SwapTotal') / 1024,
  };
}

/** The name in the text of os-release(5), without the code name. */
export function systemName(osRelease: string): string {
  const value = /^PRETTY_NAME=(["']?)(.*)\1$/m.exec(osRelease)?.[2];
  return value?.replace(/ \([^)]*\)$/, '') ?? 'Linux';
}

function kilobytes(meminfo: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1] ?? 0);
}

export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

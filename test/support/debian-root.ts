import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ROOT } from '../repository/tree.ts';
import type { Ended } from './installation.ts';
import { runProgram } from './run-program.ts';

const KEPT = path.join(ROOT, 'node_modules/.cache/debian-root.tar');

/** What keeps a Debian from being laid out here; undefined where nothing does. */
export const debianIsImpossible =
  process.getuid?.() !== 0
    ? 'needs root'
    : ['debootstrap', 'dpkg-deb'].some((program) => spawnSync(program, ['--version']).error !== undefined)
      ? 'needs debootstrap and dpkg'
      : undefined;

/** A Debian that has its base system and what the C++ library needs, and nothing else. */
export interface DebianRoot {
  directory: string;
  run: (command: string[], env: NodeJS.ProcessEnv) => Promise<Ended>;
  close: () => void;
}

/** Laid out by debootstrap the first time; null where its mirror cannot be reached. */
export async function makeDebianRoot(): Promise<DebianRoot | null> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'mtp-debian-'));
  if (!existsSync(KEPT)) {
    const args = ['--variant=minbase', '--include=libstdc++6', 'bookworm', directory];
    if (spawnSync('debootstrap', args, { stdio: 'ignore' }).status !== 0) {
      rmSync(directory, { recursive: true, force: true });
      return null;
    }
    mkdirSync(path.dirname(KEPT), { recursive: true });
    execFileSync('tar', ['-C', directory, '-cf', `${KEPT}.${process.pid}`, '.']);
    renameSync(`${KEPT}.${process.pid}`, KEPT);
  } else {
    execFileSync('tar', ['-C', directory, '-xf', KEPT]);
  }
  // Services run as users of their own, who have to get through.
  execFileSync('chmod', ['755', directory]);
  const enter = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"';
  return {
    directory,
    run: async (command, env) =>
      runProgram(['unshare', '--mount', 'sh', '-c', enter, directory, ...command], {
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', DEBIAN_FRONTEND: 'noninteractive', ...env },
      }),
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}

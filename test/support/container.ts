import { type ChildProcess, execFileSync, spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../repository/tree.ts';

/** What a template asks of whoever runs the container. */
export interface ContainerWishes {
  uid: number;
  gid: number;
  readOnly: boolean;
  /** The bounding set; who is not root holds none of them. */
  capabilities: string[];
  noNewPrivileges: boolean;
  memoryBytes: number;
  cpus: number;
  environment: Record<string, string>;
  args: string[];
  sysctl?: Record<string, string>;
  /** Directories that can be written to: in memory, or a path of this machine. */
  tmpfs: { destination: string; options: string[] }[];
  binds: { source: string; destination: string; readOnly: boolean }[];
}

export interface RunningContainer {
  process: ChildProcess;
  exec: (...command: string[]) => SpawnSyncReturns<string>;
  /** By its own start: resolves when this command succeeds in it. */
  until: (...command: string[]) => Promise<void>;
  /** Send the signal to stop and wait; resolves to the exit status. */
  stop: () => Promise<number | null>;
  /** The limit of memory that the kernel holds it to, in bytes. */
  memoryLimit: () => number;
  close: () => void;
}

export const runcIsPossible =
  process.getuid?.() === 0 && spawnSync('runc', ['--version']).status === 0 && process.platform === 'linux';

/** What the Dockerfile copies into the image. */
const IMAGE = ['package.json', 'oclif.manifest.json', 'bin', 'dist', 'src/native', 'templates', 'node_modules'];
const READY_MS = 60_000;

/** Start a container under runc, with the image that the Dockerfile describes put together from this source tree. */
export function startContainer(wishes: ContainerWishes): RunningContainer {
  const bundle = mkdtempSync(path.join(os.tmpdir(), 'mtp-oci-'));
  const id = path.basename(bundle);
  makeRoot(path.join(bundle, 'rootfs'), wishes);
  writeFileSync(path.join(bundle, 'config.json'), JSON.stringify(config(wishes)));
  const child = spawn('runc', ['run', '--bundle', bundle, id], { stdio: 'ignore' });
  const exec = (...command: string[]) => spawnSync('runc', ['exec', id, ...command], { encoding: 'utf8' });
  return {
    process: child,
    exec,
    until: async (...command) => {
      for (const deadline = Date.now() + READY_MS; exec(...command).status !== 0; await sleep(100)) {
        if (child.exitCode !== null || Date.now() > deadline) throw new Error(`never: ${command.join(' ')}`);
      }
    },
    stop: async () => {
      const ended = once(child, 'exit') as Promise<[number | null]>;
      execFileSync('runc', ['kill', id, 'TERM']);
      return (await ended)[0];
    },
    memoryLimit: () => {
      const state = JSON.parse(execFileSync('runc', ['state', id], { encoding: 'utf8' })) as { pid: number };
      const groups = readFileSync(`/proc/${state.pid}/cgroup`, 'utf8');
      const [, first] = /^\d+:memory:(.*)$/m.exec(groups) ?? [];
      const file =
        first === undefined
          ? `/sys/fs/cgroup${/^0::(.*)$/m.exec(groups)?.[1] ?? ''}/memory.max`
          : `/sys/fs/cgroup/memory${first}/memory.limit_in_bytes`;
      return Number(readFileSync(file, 'utf8'));
    },
    close: () => {
      spawnSync('runc', ['delete', '--force', id]);
      rmSync(bundle, { recursive: true });
    },
  };
}

/** The programs and libraries are those of this machine, the rest is what the image has. */
function makeRoot(root: string, { tmpfs, binds }: ContainerWishes): void {
  const mountPoints = [...tmpfs, ...binds].map(({ destination }) => destination);
  for (const dir of ['usr', 'opt/node', 'etc', 'proc', 'dev', 'app/src', ...mountPoints]) {
    mkdirSync(path.join(root, dir), { recursive: true });
  }
  // A tmpfs takes over the mode of the directory below it.
  for (const { destination } of tmpfs) chmodSync(path.join(root, destination), 0o1777);
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) symlinkSync(`usr/${name}`, path.join(root, name));
  for (const name of IMAGE) {
    const inRoot = path.join(root, 'app', name);
    if (path.extname(name) === '.json') writeFileSync(inRoot, '');
    else mkdirSync(inRoot, { recursive: true });
  }
}

function config(wishes: ContainerWishes): object {
  const bind = (source: string, destination: string, readOnly = true) => ({
    source,
    destination,
    type: 'bind',
    options: ['rbind', ...(readOnly ? ['ro'] : [])],
  });
  const environment = { PATH: '/opt/node:/bin', ...wishes.environment };
  return {
    ociVersion: '1.0.2',
    process: {
      user: { uid: wishes.uid, gid: wishes.gid },
      args: wishes.args,
      env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      cwd: '/',
      capabilities: { bounding: wishes.capabilities },
      noNewPrivileges: wishes.noNewPrivileges,
    },
    root: { path: 'rootfs', readonly: wishes.readOnly },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=64k'] },
      bind('/usr', '/usr'),
      bind(path.dirname(process.execPath), '/opt/node'),
      ...IMAGE.map((name) => bind(path.join(ROOT, name), `/app/${name}`)),
      ...wishes.tmpfs.map(({ destination, options }) => ({ destination, type: 'tmpfs', source: 'tmpfs', options })),
      ...wishes.binds.map(({ source, destination, readOnly }) => bind(source, destination, readOnly)),
    ],
    linux: {
      namespaces: ['pid', 'ipc', 'uts', 'mount', 'network'].map((type) => ({ type })),
      resources: {
        memory: { limit: wishes.memoryBytes },
        cpu: { quota: wishes.cpus * 100_000, period: 100_000 },
      },
      ...(wishes.sysctl === undefined ? {} : { sysctl: wishes.sysctl }),
    },
  };
}

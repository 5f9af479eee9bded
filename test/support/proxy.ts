import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The product as an operator runs it: the build where there is one, else the sources. */

const built = existsSync(new URL('../../dist/commands', import.meta.url));
const MTP = fileURLToPath(new URL(`../../bin/${built ? 'run' : 'dev'}.js`, import.meta.url));

export interface RunningProxy {
  host: string;
  port: number;
  pid: number;
  /** Of the first user, 32 hex digits. */
  key: string;
  /** Answer of another command in the same home, from its `--json`. */
  mtp: (...args: string[]) => Promise<unknown>;
  /** End it without waiting for its clients. */
  stop: () => Promise<void>;
}

export interface ProxyOptions {
  home: string;
  /** Settings as `MTP_*` variables. */
  env?: Record<string, string>;
  args?: string[];
}

/** Start `mtp run`; resolves when it says that clients can connect. */
export async function startProxy({ home, env: settings = {}, args = [] }: ProxyOptions): Promise<RunningProxy> {
  const env = { ...process.env, ...settings, MTP_HOME: home };
  const child = spawn(process.execPath, [MTP, 'run', '--json', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const { listening, links } = JSON.parse(await firstLine(child)) as {
    listening: { host: string; port: number };
    links: { secret: string }[];
  };
  return {
    ...listening,
    pid: child.pid ?? 0,
    key: /^(?:ee|dd)?([0-9a-f]{32})/.exec(links[0]?.secret ?? '')?.[1] ?? '',
    mtp: async (...command) => {
      const { stdout } = await promisify(execFile)(process.execPath, [MTP, ...command, '--json'], { env });
      return JSON.parse(stdout) as unknown;
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGINT');
      child.kill('SIGINT');
      await ended;
    },
  };
}

/** The first line of stdout; when the process ends before, an error with what it said. */
async function firstLine(child: ChildProcess): Promise<string> {
  let [stdout, stderr] = ['', ''];
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      const end = stdout.indexOf('\n');
      if (end >= 0) resolve(stdout.slice(0, end));
    });
    child.stderr?.on('data', (chunk: Buffer) => (stderr = `${stderr}${chunk.toString()}`.slice(-2000)));
    child.once('exit', (code) => reject(new Error(`mtp run ended with ${code ?? 'a signal'}: ${stderr}`)));
    child.once('error', reject);
  });
}

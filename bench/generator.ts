import { spawn } from 'node:child_process';
import { isOver, watchOver } from './children.ts';

/** What the load generator prints: sums over the measured part. */
export interface Measurement {
  seconds: number;
  /** Messages answered, sessions set up, or hellos refused. */
  ops: number;
  /** Bytes of streams, as they reached their receiver. */
  bytes: number;
  errors: number;
  damaged: number;
  p50_us: number;
  p99_us: number;
  p999_us: number;
  max_us: number;
  proxy_cpu_seconds: number;
  generator_cpu_seconds: number;
  proxy_preempted: number;
  generator_preempted: number;
  /** CPU seconds of the watched cores that went to other virtual machines, and that went to anything on this one. */
  steal_seconds: number;
  busy_seconds: number;
  rss_before_kb: number;
  rss_kb: number;
}

export interface Endpoint {
  host: string;
  port: number;
}

/** A proxy that is driven. */
export interface Target {
  at: Endpoint;
  /** Secret as in a link, hex. */
  secret: string;
  dc: Endpoint;
  cover?: Endpoint;
  /** Processes whose CPU and memory count; empty when they are out of reach. */
  pids: number[];
}

export type LoadOptions = Record<string, string | number | boolean>;

export interface Generator {
  program: string;
  /** Cores to run on, as taskset names them. */
  cores: string;
  /** Cores on which other work is a disturbance. */
  watched: string[];
}

/** Longest run besides its measured part: opening thousands of sessions through a slow proxy. */
const SLACK_MS = 90_000;

export const nameOf = ({ host, port }: Endpoint): string => `${host}:${port}`;

/** Drive one load through a proxy, or with `target` null straight through the generator. */
export async function measure(
  { program, cores, watched }: Generator,
  load: string,
  target: Target | { dc: Endpoint; direct: true },
  options: LoadOptions = {},
): Promise<Measurement> {
  const text = await run(
    'taskset',
    ['-c', cores, program, ...watched.flatMap((core) => ['--core', core]), ...argumentsOf(load, target, options)],
    seconds(options),
  );
  return JSON.parse(text) as Measurement;
}

function argumentsOf(load: string, target: Target | { dc: Endpoint; direct: true }, options: LoadOptions): string[] {
  const out = ['--load', load, '--dc-listen', nameOf(target.dc)];
  if ('direct' in target) out.push('--direct');
  else {
    out.push('--proxy', nameOf(target.at), '--secret', target.secret);
    if (target.cover !== undefined) out.push('--cover-listen', nameOf(target.cover));
    for (const pid of target.pids) out.push('--pid', String(pid));
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === true) out.push(`--${name}`);
    else if (value !== false) out.push(`--${name}`, String(value));
  }
  return out;
}

function seconds({ seconds: measured = 1.2, 'warm-up': before = 0.3 }: LoadOptions): number {
  return Number(measured) + Number(before);
}

async function run(command: string, args: string[], seconds: number): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: seconds * 1000 + SLACK_MS });
  watchOver(child.pid);
  let output = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  isOver(child.pid);
  if (code !== 0) throw new Error(`the load generator failed: ${complaint.trim() || output.trim() || 'no message'}`);
  return output;
}

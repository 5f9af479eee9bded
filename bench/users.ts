import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { probeHandshake } from '../src/lib/probe/handshake.ts';
import { cover } from '../test/lib/probe/servers.ts';
import { startFakeDc } from '../test/support/fake-dc.ts';
import { freePort } from '../test/support/load.ts';

/**
 * `node bench/users.ts [USERS]`: what an installation with many users costs, by the command line that operators type. Needs
 * `npm run build` first. Telegram and the cover are on loopback; one line a figure.
 */

const BIN = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const TRIES = 100;
const ROOT = process.getuid?.() === 0 ? ['--allow-root'] : [];

const count = Number(process.argv[2] ?? 10_000);
const home = await mkdtemp(path.join(os.tmpdir(), 'mtp-bench-'));
const [dc, site, port] = [await startFakeDc(), await cover({}), await freePort()];
const env = {
  ...process.env,
  ...Object.fromEntries([1, 2, 3, 4, 5, 203].map((number) => [`MTP_TELEGRAM_DC_${number}`, `127.0.0.1:${dc.port}`])),
  MTP_COVER_DOMAIN: 'cover.test',
  MTP_COVER_TARGET: `127.0.0.1:${site.port}`,
  MTP_LISTEN_PORT: String(port),
};

interface Ran {
  ms: number;
  output: string;
}

async function mtp(...args: string[]): Promise<Ran> {
  const from = performance.now();
  const output = await new Promise<string>((resolve, reject) => {
    const all = [BIN, ...args, '--home', home];
    execFile(process.execPath, all, { env, maxBuffer: 1e9 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`mtp ${args.join(' ')}: ${stderr || error.message}`));
    });
  });
  return { ms: Math.round(performance.now() - from), output };
}

const keys = Array.from({ length: count }, () => randomBytes(16));

/** Latencies of openings, ms: the median and the last of a hundred. */
async function openings(next: () => Buffer): Promise<string> {
  const times: number[] = [];
  let refused = 0;
  for (let run = 0; run < TRIES; run++) {
    const credentials = { mode: 'ee' as const, key: next(), domain: 'cover.test' };
    const from = performance.now();
    const { ok } = await probeHandshake({ host: '127.0.0.1', port }, credentials, {
      timeoutMs: 4000,
      random: randomBytes,
      now: Date.now,
    });
    times.push(performance.now() - from);
    if (!ok) refused += 1;
  }
  times.sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor(share * TRIES)] as number).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ${refused} refused`;
}

async function memory(): Promise<string> {
  const { pid, engine } = JSON.parse((await mtp('status', '--json')).output) as {
    pid: number;
    engine: { process: { pid?: number } | null; pid: number };
  };
  const rss = async (of: number): Promise<number> => {
    const [, kb = '0'] = /^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${of}/status`, 'utf8')) ?? [];
    return Math.round(Number(kb) / 1024);
  };
  return `daemon ${await rss(pid)} MB, engine ${await rss(engine.pid)} MB`;
}

const say = (what: string, figure: string): void => console.log(`${what.padEnd(40)} ${figure}`);
const seconds = ({ ms }: Ran): string => `${ms} ms`;

try {
  await mtp('start', ...ROOT);
  await sleep(5000);
  say('memory with one user', await memory());
  await mtp('stop');
  const file = path.join(home, 'users.csv');
  const lines = keys.map((key, at) => `user-${at},${key.toString('hex')}`);
  await writeFile(file, `name,secret\n${lines.join('\n')}\n`, { mode: 0o600 });
  say(`import of ${count} users`, seconds(await mtp('user', 'import', file)));
  say('start', seconds(await mtp('start', ...ROOT)));
  await sleep(5000);
  say(`memory with ${count} users`, await memory());
  say('reload, nothing changed', seconds(await mtp('reload')));
  say('one user changed', seconds(await mtp('user', 'disable', 'user-17')));
  say('one user added', seconds(await mtp('user', 'add', 'late')));
  say('list', seconds(await mtp('user', 'list', '--json')));
  say('status', seconds(await mtp('status')));
  let at = 20;
  say('opening, another user each time', await openings(() => keys[(at += 97) % count] as Buffer));
  say('opening, the same user', await openings(() => keys[count - 1] as Buffer));
  say('memory afterwards', await memory());
  const log = await readFile(path.join(home, 'mtp.log'), 'utf8');
  for (const line of log.split('\n').filter((text) => text.includes('reloaded'))) console.log(line.slice(0, 220));
} finally {
  await mtp('stop').catch(() => undefined);
  await Promise.all([dc.close(), site.close()]);
  await rm(home, { recursive: true, force: true });
}

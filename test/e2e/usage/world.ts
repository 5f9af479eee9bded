import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { getStatus } from '../../../src/lib/control/client.ts';
import { withLedger } from '../../../src/lib/ledger/open.ts';
import type { Paths } from '../../../src/lib/system/paths.ts';
import { addUser } from '../../../src/lib/users/store.ts';
import { type FakeDc, startFakeDc } from '../../support/fake-dc.ts';
import { pathsIn } from '../../support/files.ts';
import { killMarked, markOf } from '../../support/left-over.ts';

/** A proxy as an operator runs it, whose processes can be killed, before data centres that send back what they get. */

const BIN = fileURLToPath(new URL('../../../bin/dev.js', import.meta.url));

/** What goes through lanes is counted at the next tick of a worker, which is late on a busy machine. */
const COUNTED_LATE_MS = 250;
const BUSY_MS = 250;

export interface Bytes {
  up: number;
  down: number;
}

export class World {
  readonly home: string;
  readonly paths: Paths;
  readonly port: number;
  readonly #dc: FakeDc;
  readonly #env: NodeJS.ProcessEnv;
  readonly #engines = new Set<number>();
  #daemon: ChildProcess | undefined;
  stderr = '';

  private constructor(home: string, port: number, dc: FakeDc, env: NodeJS.ProcessEnv) {
    this.home = home;
    this.paths = pathsIn(home);
    this.port = port;
    this.#dc = dc;
    this.#env = env;
  }

  static async create(flushInterval: string): Promise<World> {
    const dc = await startFakeDc('echo');
    const dcs = [1, 2, 3, 4, 5, 203].map((number) => [`MTP_TELEGRAM_DC_${number}`, `127.0.0.1:${dc.port}`]);
    const home = await mkdtemp(path.join(os.tmpdir(), 'mtp-usage-'));
    const env = {
      ...process.env,
      ...markOf(home),
      MTP_HOME: undefined,
      ...(Object.fromEntries(dcs) as Record<string, string>),
      MTP_COVER_DOMAIN: 'cover.test',
      MTP_COVER_TARGET: '127.0.0.1:9',
      MTP_WORKERS_COUNT: '2',
      MTP_USAGE_FLUSH_INTERVAL: flushInterval,
    };
    return new World(home, await freePort(), dc, env);
  }

  /** Add a user; the result is their key. */
  async add(name: string, profile: Partial<Parameters<typeof addUser>[1]> = {}): Promise<{ id: string; key: Buffer }> {
    const user = await addUser(this.paths, { name, ...profile });
    return { id: user.id, key: Buffer.from(user.secrets[0]?.key ?? '', 'hex') };
  }

  /** Start a daemon; resolves once clients can connect. */
  async start(): Promise<void> {
    const args = [BIN, 'run', '--home', this.home, '--json', '--port', String(this.port)];
    const child = spawn(process.execPath, args, { env: this.#env });
    this.#daemon = child;
    child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    while (!stdout.includes('\n')) {
      if (child.exitCode !== null) throw new Error(`the daemon ended: ${this.stderr}`);
      await sleep(10);
    }
    const { enginePid } = JSON.parse(stdout.split('\n')[0] ?? '') as { enginePid?: number };
    if (enginePid === undefined) throw new Error(`the daemon did not start: ${stdout}`);
    this.#engines.add(enginePid);
  }

  async killDaemon(): Promise<void> {
    this.#daemon?.kill('SIGKILL');
    await ended(this.#daemon);
  }

  /** Kill the newest engine; false where there is none just now. */
  async killEngine(): Promise<boolean> {
    const pid = await this.#newest();
    if (pid === null || !isEngine(pid)) return false;
    this.#engines.add(pid);
    process.kill(pid, 'SIGKILL');
    return true;
  }

  async #newest(): Promise<number | null> {
    const text = await readFile(path.join(this.home, 'engine.pid'), 'utf8').catch(() => '');
    const pid = Number(text.split('\n')[0]);
    return pid > 1 ? pid : null;
  }

  /** Up to when traffic is kept whatever happens, Unix ms: as the daemon says, or else as its engine has left it. */
  async safeUntil(): Promise<number> {
    const status = await getStatus(this.paths).catch(() => undefined);
    if (status !== undefined) return (status.usage.flushedAt ?? 0) - BUSY_MS;
    const newest = await this.#newest();
    const dir = path.join(this.home, 'engine');
    for (const name of (await readdir(dir)).filter((each) => each.startsWith('usage-'))) {
      const left = JSON.parse(await readFile(path.join(dir, name), 'utf8')) as { pid: number; at: number };
      if (left.pid === newest) return left.at - COUNTED_LATE_MS - BUSY_MS;
    }
    return 0;
  }

  /** Stop in order, once the engines of earlier daemons are gone. */
  async stop(): Promise<void> {
    const newest = await this.#newest();
    while ([...this.#engines].some((pid) => pid !== newest && isEngine(pid))) await sleep(50);
    this.#daemon?.kill('SIGTERM');
    await ended(this.#daemon);
  }

  /** Everything that the ledger has counted, by span. */
  async counted(): Promise<Record<'hour' | 'day' | 'month' | 'period', Bytes>> {
    return withLedger(this.paths.ledgerFile, async (ledger) => {
      const none = { up: 0, down: 0 };
      const sums = { hour: none, day: none, month: none, period: none };
      const spans = await ledger
        .selectFrom('usage')
        .select(({ fn }) => ['span', fn.sum<number>('up').as('up'), fn.sum<number>('down').as('down')])
        .groupBy('span')
        .execute();
      for (const { span, up, down } of spans) sums[span as 'hour'] = { up, down };
      const periods = await ledger.selectFrom('usage_periods').select(['up', 'down']).execute();
      for (const { up, down } of periods) sums.period = { up: sums.period.up + up, down: sums.period.down + down };
      return sums;
    });
  }

  async close(): Promise<void> {
    await this.killDaemon();
    await killMarked(this.home);
    await this.#dc.close();
    await rm(this.home, { recursive: true, force: true });
  }
}

function isEngine(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('engine/main');
  } catch {
    return false;
  }
}

async function ended(child: ChildProcess | undefined): Promise<void> {
  if (child !== undefined && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

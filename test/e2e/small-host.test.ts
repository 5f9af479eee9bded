import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { getStatus } from '../../src/lib/control/client.ts';
import { parseLink } from '../../src/lib/link/link.ts';
import { type Paths, resolvePaths } from '../../src/lib/system/paths.ts';
import { makeMemoryGroup, type MemoryGroup } from '../support/memory-group.ts';
import { connectEe, makeHello, Peer, type Session } from '../support/raw-client.ts';
import { freePort } from '../support/site.ts';
import { readOpening } from '../support/wire.ts';

/** A host of 512 MB, as a control group, with as many clients as the daemon thinks that it can carry. */

const MB = 2 ** 20;
const HOST_BYTES = 512 * MB;
/** (512 - 300) MB at ten sockets a megabyte. */
const CAP = 1060;
const TALKING = 60;
/** More than all kernel buffers on the way take. */
const FLOOD = Buffer.alloc(16 * MB, 'flood');
const COVER_ANSWER = 'HTTP/1.1 400 Bad Request\r\n\r\n';
const BIN = fileURLToPath(new URL('../../bin/dev.js', import.meta.url));

const group = makeMemoryGroup(HOST_BYTES);
if (typeof group === 'string')
  console.log(`small-host.test.ts is skipped: no memory control group can be made (${group})`);

const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

async function serve(handle: (socket: net.Socket) => void): Promise<number> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    handle(socket);
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Echoes on DC 2. On DC 4 it sends more than anybody takes, as clients do not read it nobody can tell that it is noise. */
const dataCentre = (socket: net.Socket): void => {
  let waiting = Buffer.alloc(0);
  let echo: ((data: Buffer) => Buffer) | undefined;
  socket.on('data', (chunk: Buffer) => {
    if (echo !== undefined) {
      socket.write(echo(chunk));
      return;
    }
    waiting = Buffer.concat([waiting, chunk]);
    if (waiting.length < 64) return;
    const opening = readOpening(waiting.subarray(0, 64));
    if (opening === null) throw new Error('no opening');
    const { encrypt, decrypt } = opening.stream;
    echo = (data) => encrypt(decrypt(data));
    if (opening.dc === 4) socket.write(FLOOD);
    else socket.write(echo(waiting.subarray(64)));
  });
};

async function start(home: string, { procs }: MemoryGroup, dc: number, cover: number): Promise<ChildProcess> {
  const dcs = Object.fromEntries(
    [1, 2, 3, 4, 5, 203].map((number) => [`MTP_TELEGRAM_DC_${number}`, `127.0.0.1:${dc}`]),
  );
  const env = { ...process.env, MTP_COVER_DOMAIN: 'cover.test', MTP_COVER_TARGET: `127.0.0.1:${cover}`, ...dcs };
  const port = String(await freePort());
  const inGroup = `echo $$ > ${procs} && exec "$@"`;
  return spawn('sh', ['-c', inGroup, 'sh', process.execPath, BIN, 'run', '--home', home, '--port', port, '--json'], {
    env: { ...env, MTP_WORKERS_COUNT: '2', MTP_LIMITS_PER_SOURCE: '2000', MTP_SHUTDOWN_DRAIN_TIMEOUT: '1s' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = '';
  while (!text.includes('\n')) {
    const [chunk] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    text += chunk.toString();
  }
  return text.slice(0, text.indexOf('\n'));
}

async function inTurns<Result>(count: number, at: number, make: (index: number) => Promise<Result>): Promise<Result[]> {
  const all: Result[] = [];
  while (all.length < count) {
    const turn = Array.from({ length: Math.min(at, count - all.length) }, async (_, index) => make(all.length + index));
    all.push(...(await Promise.all(turn)));
  }
  return all;
}

async function residentMb(pid: number): Promise<number> {
  return Number(/^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

const echoes = async (session: Session): Promise<boolean> => {
  const said = Buffer.from('are you there?');
  session.send(said);
  return (await session.read(said.length))?.equals(said) ?? false;
};

test.skipIf(typeof group === 'string')(
  'a host of 512 MB carries as many clients as it says, whatever they do, and shows others the cover',
  async () => {
    const limited = group as MemoryGroup;
    const home = await mkdtemp(path.join(os.tmpdir(), 'mtp-small-'));
    const paths: Paths = resolvePaths({ home, env: {}, isRoot: false, userHome: home });
    closing.push(limited.remove, async () => rm(home, { recursive: true, force: true }));
    const dc = await serve(dataCentre);
    const cover = await serve((socket) => socket.once('data', () => socket.end(COVER_ANSWER)));
    const daemon = await start(home, limited, dc, cover);
    closing.push(async () => {
      daemon.kill('SIGINT');
      if (daemon.exitCode === null) await once(daemon, 'exit');
    });
    const ready = JSON.parse(await firstLine(daemon)) as {
      enginePid: number;
      listening: { port: number };
      links: { tg: string }[];
    };
    const target = { host: '127.0.0.1', port: ready.listening.port };
    const key = parseLink(ready.links[0]?.tg ?? '').secret.key;
    expect((await getStatus(paths))?.cap).toEqual({ connections: CAP, bound: 'memory' });

    const talking = await inTurns(TALKING, 20, async () => connectEe(target, { key }));
    expect(await Promise.all(talking.map(async (session) => session !== null && echoes(session)))).not.toContain(false);
    const stalled = await inTurns(CAP - TALKING, 50, async () => {
      const session = await connectEe(target, { key, dc: 4 });
      session?.peer.socket.pause();
      return session;
    });
    expect([...talking, ...stalled]).not.toContain(null);
    await new Promise((resolve) => setTimeout(resolve, 3000));

    // 70 % of the host, for the engine; the rest is for the daemon and the system.
    const rss = await residentMb(ready.enginePid);
    console.log(`engine at its cap of ${CAP} with ${CAP - TALKING} clients that do not read: ${rss.toFixed(0)} MB`);
    expect(rss).toBeLessThan((0.7 * HOST_BYTES) / MB);
    const one = await Peer.open(target);
    one.send(makeHello({ key }));
    expect((await one.take(COVER_ANSWER.length))?.toString()).toBe(COVER_ANSWER);

    expect(limited.kills()).toBe(0);
    const status = await getStatus(paths);
    expect(status).toMatchObject({ traffic: { connections: { relayed: CAP } } });
    expect(status?.engine).toMatchObject({ pid: ready.enginePid, restarts: 0 });
    expect(await Promise.all(talking.map(async (session) => session !== null && echoes(session)))).not.toContain(false);
    expect(stalled.map((session) => session?.peer.ended)).not.toContain('fin');
    for (const session of [...talking, ...stalled]) session?.peer.close();
  },
  90_000,
);

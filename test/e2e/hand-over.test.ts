import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BuiltinEngine } from '../../src/daemon/supervisor/builtin.ts';
import type { Endpoint, EngineEvent, EngineRevision } from '../../src/daemon/supervisor/engine.ts';
import { Supervisor } from '../../src/daemon/supervisor/supervisor.ts';
import { engineSettings, KEY, me } from '../support/engine.ts';
import { type FakeDc, startFakeDc } from '../support/fake-dc.ts';
import { connectEe, makeHello, Peer, type Session } from '../support/raw-client.ts';
import { accepts, freePort, isRunning, refuses, startLoad } from '../support/load.ts';

let dir: string;
let dc: FakeDc;
let supervisor: Supervisor;
let revision: EngineRevision;
const events: EngineEvent[] = [];
let pids: number[] = [];

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-hand-over-'));
  dc = await startFakeDc();
  revision = {
    id: 'a',
    settings: engineSettings({ dc, settings: { replayFile: path.join(dir, 'replay.journal') } }),
    users: [me],
  };
  events.length = 0;
  supervisor = new Supervisor({
    makeEngine: (sockets, module) => new BuiltinEngine(module, { sockets }),
    onEvent: (event) => void events.push(event),
    onOffence: () => undefined,
    onEngines: (running) => void (pids = running),
    watchDeath: async () => async () => undefined,
    now: Date.now,
    random: () => 0,
    sleep: async (ms, signal) => setTimeout(ms, undefined, { signal }),
  });
});

afterEach(async () => {
  await supervisor.stop();
  await dc.close();
  await rm(dir, { recursive: true });
});

const willDo = async (): Promise<void> => undefined;
const handOver = async (to = revision, prove = willDo) => supervisor.handOver(to, { prove, drainMs: 20_000 });

describe('a hand-over', () => {
  test('refuses nobody under load, cuts nobody, and the old engine ends with its last connection', async () => {
    const { pid, listening } = await supervisor.start(revision);
    const early = (await connectEe(listening, { key: KEY })) as Session;
    const load = startLoad(listening);
    await load.reached(100);
    const { serving } = await handOver();
    await load.reached(load.done() + 100);
    // Back and forth once more, with another number of workers.
    await handOver({ ...revision, id: 'b', settings: { ...revision.settings, workers: 3 } });
    await load.reached(load.done() + 100);
    const { done, failed } = await load.stop();
    expect(failed).toEqual([]);
    expect(done).toBeGreaterThan(300);
    expect(serving.pid).not.toBe(pid);
    expect(serving.listening).toEqual(listening);
    expect(supervisor.retired.map((retired) => retired.pid)).toContain(pid);
    expect(await early.reqPq()).toBe(true);
    early.peer.close();
    await expect.poll(() => supervisor.retired.length, { timeout: 10_000 }).toBe(0);
    expect(pids).toEqual([supervisor.state.pid]);
    expect(isRunning(pid)).toBe(false);
  });

  test('who loses access later loses the connection at the old engine, too', async () => {
    const { pid, listening } = await supervisor.start(revision);
    const held = (await connectEe(listening, { key: KEY })) as Session;
    await handOver();
    expect(await held.reqPq()).toBe(true);
    await supervisor.apply({ ...revision, id: 'b', users: [] });
    await expect.poll(() => supervisor.retired.length, { timeout: 10_000 }).toBe(0);
    expect(isRunning(pid)).toBe(false);
    expect(events).toEqual([]);
  });

  test('keeps the old engine where the new one does not prove itself', async () => {
    const { pid, listening } = await supervisor.start(revision);
    const doubt = async (): Promise<never> => Promise.reject(new Error('it knows nobody'));
    await expect(handOver(revision, doubt)).rejects.toMatchObject({
      code: 'NOT_HANDED_OVER',
      exit: 6,
      message: 'the new engine did not take over: it knows nobody; the running one goes on',
    });
    expect(supervisor.state).toMatchObject({ state: 'running', pid });
    expect(pids).toEqual([pid]);
    await works(listening);
  });

  test('goes on with the old engine where the new one is killed as it takes over', async () => {
    const { pid, listening } = await supervisor.start(revision);
    const kill = async (): Promise<void> => {
      const candidate = pids.find((other) => other !== pid) as number;
      process.kill(candidate, 'SIGKILL');
    };
    await expect(handOver(revision, kill)).rejects.toMatchObject({ code: 'NOT_HANDED_OVER' });
    expect(supervisor.state).toMatchObject({ state: 'running', pid });
    await works(listening);
    await handOver();
    await works(listening);
  });

  test('takes over although the old engine dies in the middle of it', async () => {
    const { pid, listening } = await supervisor.start(revision);
    await handOver(revision, async () => {
      process.kill(pid, 'SIGKILL');
      await expect.poll(() => isRunning(pid)).toBe(false);
    });
    expect(supervisor.state.state).toBe('running');
    expect(supervisor.state.pid).not.toBe(pid);
    await works(listening);
  });

  test('to another port serves there, and nothing is left on the old one', async () => {
    const { listening } = await supervisor.start(revision);
    const other = await freePort();
    const settings = { ...revision.settings, listen: { ...revision.settings.listen, port: other } };
    const { serving } = await handOver({ ...revision, id: 'b', settings });
    expect(serving.listening.port).toBe(other);
    await works(serving.listening);
    await expect.poll(async () => refuses(listening)).toBe(true);
  });

  test('an engine that ends is restarted without a refused connection', async () => {
    const { pid, listening } = await supervisor.start(revision);
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => supervisor.state.state).toBe('restarting');
    // Waits in the queue of the kernel until the next engine is there.
    await works(listening);
    expect(supervisor.state.pid).not.toBe(pid);
  });

  test('at most three engines drain at once', async () => {
    const { listening } = await supervisor.start(revision);
    const held: Session[] = [];
    for (let round = 0; round < 3; round++) {
      held.push((await connectEe(listening, { key: KEY })) as Session);
      await handOver();
    }
    await expect(handOver()).rejects.toMatchObject({ code: 'DRAINING', exit: 75 });
    for (const session of held) session.peer.close();
  });
});

describe('replays over a hand-over', () => {
  /** Whether a hello on a new connection is answered as that of a client. */
  const accepted = async (at: Endpoint, hello: Buffer): Promise<boolean> => {
    const peer = await Peer.open(at);
    const yes = await accepts(peer, hello);
    peer.close();
    return yes;
  };

  test('what the old engine accepted is refused by the new one', async () => {
    const { listening } = await supervisor.start(revision);
    const hello = makeHello({ key: KEY });
    expect(await accepted(listening, hello)).toBe(true);
    await handOver();
    expect(await accepted(listening, hello)).toBe(false);
    // A fresh one is let in, so that the refusal is no fault of the new engine.
    await works(listening);
  });

  test('what either engine accepts while the old one serves its last connections is refused by the other', async () => {
    const { listening } = await supervisor.start(revision);
    const [first, second] = [await Peer.open(listening), await Peer.open(listening)];
    await expect.poll(async () => (await supervisor.stats()).connections.current).toBe(2);
    await handOver();
    const toOld = makeHello({ key: KEY });
    expect(await accepts(first, toOld)).toBe(true);
    await setTimeout(300);
    expect(await accepted(listening, toOld)).toBe(false);
    const toNew = makeHello({ key: KEY });
    expect(await accepted(listening, toNew)).toBe(true);
    await setTimeout(300);
    expect(await accepts(second, toNew)).toBe(false);
    for (const peer of [first, second]) peer.close();
  });
});

describe('a daemon that is killed', () => {
  test.each(['prepare', 'prove', 'paused', 'opened'])('at %s leaves an engine that serves', async (stage) => {
    const script = fileURLToPath(new URL('fixtures/hand-over-daemon.ts', import.meta.url));
    const port = await freePort();
    const daemon: ChildProcess = fork(script, [stage, dir, String(port), String(dc.port)], { stdio: 'ignore' });
    const [engines] = (await once(daemon, 'message')) as [number[]];
    await once(daemon, 'exit');
    const at = { host: '127.0.0.1', port };
    await expect.poll(async () => refuses(at), { timeout: 5000 }).toBe(false);
    await works(at);
    const left = [...new Set([...engines, ...(await recordedPids())])].filter(isRunning);
    expect(left.length).toBeGreaterThan(0);
    // One that clients never saw is gone by itself.
    await expect.poll(() => left.filter(isRunning).length, { timeout: 5000 }).toBe(stage === 'opened' ? 2 : 1);
    // As the next daemon does.
    for (const pid of left) if (isRunning(pid)) process.kill(pid, 'SIGTERM');
    await expect.poll(() => left.filter(isRunning), { timeout: 10_000 }).toEqual([]);
  });

  async function recordedPids(): Promise<number[]> {
    return (await readFile(path.join(dir, 'pids'), 'utf8')).trim().split('\n').map(Number);
  }
});

async function works(at: { host: string; port: number }): Promise<void> {
  const session = await connectEe(at, { key: KEY });
  expect(session).not.toBeNull();
  expect(await session?.reqPq()).toBe(true);
  session?.peer.close();
}

test('a port is refused when nobody listens, so that a refusal is seen', async () => {
  expect(await refuses({ host: '127.0.0.1', port: await freePort() })).toBe(true);
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  expect(await refuses({ host: '127.0.0.1', port: (server.address() as net.AddressInfo).port })).toBe(false);
  server.close();
});

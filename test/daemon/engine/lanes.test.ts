import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import type { Conn } from '../../../src/daemon/engine/conn.ts';
import { Lanes } from '../../../src/daemon/engine/lanes.ts';
import { Ctr } from '../../../src/lib/protocol/ctr.ts';
import type { NativeAccelerator } from '../../../src/lib/system/accelerator.ts';
import { FORM, FORM_PLACES, type NativeLanes } from '../../../src/lib/system/native-lanes.ts';
import { native, otherBuild } from '../../support/accelerator.ts';
import { type RelayEnds, RelayRig, until } from '../../support/relay-rig.ts';

describe.skipIf(native?.startLanes === undefined)('lanes', () => {
  const addon = native as NativeAccelerator & NativeLanes;
  let rig: RelayRig | null = null;
  afterEach(async () => {
    await rig?.close();
    rig = null;
  });

  async function start(fast = true): Promise<RelayRig> {
    return (rig = await RelayRig.open({ native, fast }));
  }

  test('a relay goes into its lane after a few reads, and not before', async () => {
    const { relay, client, dc } = await (await start()).relay();
    for (let turn = 1; turn <= 3; turn++) {
      client.send(Buffer.from('x'));
      await until(() => dc.received === turn);
      expect(relay.lane).toBe(0);
    }
    client.send(Buffer.from('x'));
    await until(() => relay.lane !== 0 && dc.received === 4);
  });

  test.each<[string, (conn: Conn) => unknown]>([
    ['write', (conn) => conn.write(Buffer.from('x'))],
    ['isQuiet', (conn) => conn.isQuiet()],
    ['pause', (conn) => conn.pause()],
    ['resume', (conn) => conn.resume()],
    ['end', (conn) => conn.end()],
    ['closeLike', (conn) => conn.closeLike(null)],
    ['destroy', (conn) => conn.destroy()],
    ['reset', (conn) => conn.reset()],
  ])('%s on either socket ends the loan of both there and then', async (_, act) => {
    await start();
    for (const side of ['client', 'upstream'] as const) {
      const { relay } = await (rig as RelayRig).warmRelay();
      const { lane } = relay;
      expect(relay.client.lendable()).toBeNull();
      act(relay[side]);
      expect(relay.lane).toBe(0);
      expect(addon.leave(lane, new Float64Array(FORM_PLACES))).toBe(false);
    }
  });

  test('a socket with something under way is not lent', async () => {
    const { relay, client } = await (await start()).warmRelay();
    const conn = relay.client;
    rig?.plane.lanes?.leave(relay);
    expect(conn.lendable()).toBeGreaterThan(0);
    conn.pause();
    expect(conn.lendable()).toBeNull();
    conn.resume();
    client.socket.pause();
    while (conn.write(Buffer.alloc(1_000_000)));
    expect(conn.lendable()).toBeNull();
    conn.destroy();
    expect(conn.lendable()).toBeNull();
  });

  test('the books are up to date a tick later, while the relay stays where it is', async () => {
    const { relay, client, dc } = await (await start()).warmRelay();
    client.send(Buffer.alloc(1000));
    dc.send(Buffer.alloc(500));
    await until(() => rig?.counters.total('up') === 1020 && rig.counters.total('down') === 520);
    expect(relay.lane).not.toBe(0);
  });

  test('a lane is told of once, however often its place was taken since', async () => {
    const { relay, client, dc } = await (await start()).warmRelay();
    rig?.plane.wheel.close();
    rig?.plane.lanes?.collect();
    for (let turn = 1; turn <= 5; turn++) {
      rig?.plane.lanes?.leave(relay);
      rig?.plane.lanes?.enter(relay);
      client.send(Buffer.from('x'));
      await until(() => dc.received === 20 + turn);
    }
    const told = new Float64Array(30);
    expect(addon.tally(told)).toBe(1);
    expect([...told.subarray(0, 3)]).toEqual([relay.lane, 1, 0]);
    expect(rig?.counters.total('up')).toBe(20 + 4);
  });

  test('streams that have to make room cost a relay its lane, and no byte', async () => {
    const { relay, client, dc } = await (await start(false)).warmRelay();
    for (let turn = 1; turn <= 8; turn++) {
      const { lane } = relay;
      expect(lane).not.toBe(0);
      for (let count = 0; count < 40_000; count++) addon.open(Buffer.alloc(32), Buffer.alloc(16), 0);
      const [up, down] = [dc.received, client.received];
      for (let message = 1; message <= 6; message++) {
        client.send(Buffer.from('message!'));
        await until(() => dc.received === up + 8 * message);
        dc.send(Buffer.from('answer'));
        await until(() => client.received === down + 6 * message);
      }
      expect(relay.lane).not.toBe(lane);
      expect(dc.last.toString('latin1').endsWith('message!'.repeat(6))).toBe(true);
      expect(client.last.toString('latin1').endsWith('answer'.repeat(6))).toBe(true);
    }
  });

  test('a lane may be left, and its place taken, while others of the same turn wait', async () => {
    const { plane } = await start();
    const ends: RelayEnds[] = [];
    for (let count = 0; count < 6; count++) ends.push(await (rig as RelayRig).warmRelay());
    // The first that is handed over takes the others out, and every second one into a new lane.
    const order: number[] = [];
    for (const [number, { relay }] of ends.entries()) {
      relay.invalid = () => {
        order.push(number);
        for (const other of ends) plane.lanes?.leave(other.relay);
        for (const [at, other] of ends.entries()) if (at % 2 === 0 && at !== number) plane.lanes?.enter(other.relay);
        relay.client.destroy();
      };
    }
    const before = ends.map(({ dc }) => dc.received);
    // Written in one turn of this loop, so that they are all ready in the same turn of the lanes.
    for (const { client } of ends.slice(1)) client.send(Buffer.from('kept'));
    ends[0]?.client.socket.write(Buffer.from('no record at all'));
    await until(() => ends.slice(1).every(({ dc }, at) => dc.received === (before[at + 1] as number) + 4));
    expect(order).toEqual([0]);
    for (const { dc } of ends.slice(1)) expect(dc.last.toString('latin1').endsWith('kept')).toBe(true);
  });

  test('what throws at a hand-over costs that session only', async () => {
    await start();
    const [one, other] = [await (rig as RelayRig).warmRelay(), await (rig as RelayRig).warmRelay()];
    one.relay.invalid = () => {
      throw new Error('on purpose');
    };
    one.client.socket.write(Buffer.from('no record'));
    await until(() => rig?.counters.closes().fault === 1);
    other.client.send(Buffer.from('still here'));
    await until(() => other.dc.last.toString('latin1').endsWith('still here'));
  });

  test('sessions that come and go by the hundreds never see each other’s bytes', { timeout: 60_000 }, async () => {
    await start();
    const faults: string[] = [];
    const life = async (number: number): Promise<void> => {
      const ends = await (rig as RelayRig).warmRelay();
      const { client, dc, session, relay } = ends;
      const mark = Buffer.from(`<${number}>`.padEnd(64, '.'));
      const check = (side: 'client' | 'dc'): void => {
        const { last } = ends[side];
        const said = last.subarray(last.indexOf('<')).toString('latin1');
        if (last.includes('<') && said.replaceAll(mark.toString('latin1'), '').length >= 64) faults.push(said);
      };
      const pump = setInterval(() => {
        if (client.socket.writable) client.send(mark);
        if (dc.socket.writable) dc.send(mark);
      }, 1);
      await new Promise((resolve) => setTimeout(resolve, 5 + (number % 7)));
      [
        () => client.socket.destroy(),
        () => client.socket.resetAndDestroy(),
        () => dc.socket.destroy(),
        () => dc.socket.resetAndDestroy(),
        () => session.close('stopped'),
        () => relay.upstream.destroy(),
        () => client.socket.end(),
        () => dc.socket.end(),
      ][number % 8]?.();
      await new Promise((resolve) => setTimeout(resolve, 5));
      clearInterval(pump);
      check('client');
      check('dc');
      client.socket.destroy();
      dc.socket.destroy();
    };
    let number = 0;
    // Opened one after another, and alive many at a time: descriptors are used again at once.
    const lives = new Set<Promise<void>>();
    const until = performance.now() + 5000;
    for (; performance.now() < until && number < 3000; number++) {
      const one = life(number).finally(() => lives.delete(one));
      lives.add(one);
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (number % 16 === 15) await Promise.all(lives);
    }
    await Promise.all(lives);
    expect(faults).toEqual([]);
    expect(number).toBeGreaterThan(300);
  });

  test('a table that is full, and sockets that cannot be watched, are no lane', () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'mtp-lanes-'));
    const pipe = path.join(dir, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const fds: number[] = [];
    const open = (): number => {
      const fd = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
      fds.push(fd);
      return fd;
    };
    const form = new Float64Array(FORM_PLACES);
    const enter = (clientFd: number, dcFd: number): number => {
      form.fill(0);
      form[FORM.clientFd] = clientFd;
      form[FORM.dcFd] = dcFd;
      return addon.enter(form);
    };
    expect(addon.startLanes(() => undefined)).toBe(true);
    try {
      const file = openSync(path.join(dir, 'file'), 'w');
      expect(enter(open(), file)).toBe(0);
      closeSync(file);
      expect(enter(open(), 1_000_000)).toBe(0);
      const lanes = new Set<number>();
      for (let lane = enter(open(), open()); lane !== 0; lane = enter(open(), open())) lanes.add(lane);
      expect(lanes.size).toBe(4096);
      const [first] = lanes;
      expect(addon.leave(first as number, form)).toBe(true);
      expect(addon.leave(first as number, form)).toBe(false);
      const next = enter(open(), open());
      expect(next).toBeGreaterThan(0);
      expect(lanes.has(next)).toBe(false);
      // It has the place of the first, but not its name.
      expect(addon.leave(first as number, form)).toBe(false);
      lanes.add(next);
      for (const lane of lanes) addon.leave(lane, form);
    } finally {
      for (const fd of fds) closeSync(fd);
      rmSync(dir, { recursive: true });
    }
  });

  test('threads that end amid traffic take their lanes along', { timeout: 60_000 }, async () => {
    for (let turn = 0; turn < 4; turn++) {
      const threads = [1, 2].map(
        () => new Worker(new URL('fixtures/lanes.ts', import.meta.url), { workerData: { otherBuild, turn } }),
      );
      const over = threads.map(async (thread) => once(thread, 'exit'));
      const lanes = await Promise.all(threads.map(async (thread) => ((await once(thread, 'message')) as number[])[0]));
      expect(lanes).toEqual([4, 4]);
      if (turn < 3) await Promise.all(threads.map(async (thread) => thread.terminate()));
      await Promise.all(over);
    }
  });
});

test('without an accelerator there are no lanes, and streams have no handles', () => {
  expect(Lanes.start(null)).toBeNull();
  expect(new Ctr(randomBytes(48)).handle()).toBe(0);
});

test('where the system refuses lanes there are none', () => {
  expect(Lanes.start({ startLanes: () => false } as unknown as NativeAccelerator)).toBeNull();
  expect(Lanes.start({} as NativeAccelerator)).toBeNull();
});

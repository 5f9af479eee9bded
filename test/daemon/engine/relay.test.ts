import { createHash, randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { native } from '../../support/accelerator.ts';
import { CCS } from '../../support/raw-client.ts';
import { type RelayEnds, RelayRig, type RigOptions, until } from '../../support/relay-rig.ts';

const hasLanes = native?.startLanes !== undefined;
/** How a relay may work: it must not be told from outside which it is. */
const WAYS = [
  { way: 'in JavaScript', native: null },
  { way: 'in lanes', native },
].filter((each) => each.native !== null || each.way === 'in JavaScript');
const SHAPES = [true, false].flatMap((fast) => [true, false].map((framed) => ({ fast, framed })));

let rig: RelayRig;
afterEach(async () => rig.close());

const sha = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

async function open(options: Partial<RigOptions>): Promise<RelayEnds> {
  rig = await RelayRig.open({ native, ...options });
  return rig.warmRelay();
}

/** Payload bytes that `warmRelay` sends each way. */
const WARM = 20;

describe.each(WAYS)('a relay $way', ({ native: provider, way }) => {
  const inLane = way === 'in lanes' && hasLanes;

  test.each(SHAPES)('passes on every byte, fast mode $fast, records $framed', async (shape) => {
    const { relay, client, dc } = await open({ ...shape, native: provider });
    expect(relay.lane !== 0).toBe(inLane);
    const [up, down] = [randomBytes(3_000_000), randomBytes(5_000_000)];
    const cut = (data: Buffer, send: (piece: Buffer) => void): void => {
      for (let at = 0; at < data.length;) {
        const size = Math.random() < 0.5 ? 1 + Math.floor(Math.random() * 500) : Math.floor(Math.random() * 200_000);
        send(data.subarray(at, at + size));
        at += size;
      }
    };
    cut(up, (piece) => client.send(piece));
    cut(down, (piece) => dc.send(piece));
    await until(() => dc.received === up.length + WARM && client.received === down.length + WARM);
    const warm = (word: string): Buffer => Buffer.from(word.repeat(5));
    expect(dc.digest.digest('hex')).toBe(sha(Buffer.concat([warm('ping'), up])));
    expect(client.digest.digest('hex')).toBe(sha(Buffer.concat([warm('pong'), down])));
    expect(Math.max(0, ...client.records)).toBeLessThanOrEqual(16_384);
    rig.plane.lanes?.leave(relay);
    expect(rig.counters.total('up')).toBe(up.length + WARM);
    expect(rig.counters.total('down')).toBe(down.length + WARM);
    for (const row of [0, 1]) {
      expect(rig.users.usage(row)).toMatchObject({ up: up.length + WARM, down: down.length + WARM, connections: 1 });
    }
  });

  test('one message of the DC is one record, however small', async () => {
    const { client, dc } = await open({ native: provider });
    for (const size of [1, 2, 100, 1400, 16_383, 16_384]) {
      const before = client.received;
      client.records.length = 0;
      dc.send(randomBytes(size));
      await until(() => client.received === before + size);
      expect(client.records).toEqual([size]);
    }
  });

  test('takes records as they are cut, with change-cipher-specs among them', async () => {
    const { client, dc, relay } = await open({ native: provider });
    const whole = randomBytes(30_000);
    for (let at = 0; at < whole.length; at += 997) {
      client.socket.write(CCS);
      client.send(whole.subarray(at, at + 997));
    }
    await until(() => dc.received === whole.length + WARM);
    expect(dc.last.subarray(WARM).equals(whole)).toBe(true);
    // A header and a payload of which only a part has come do not keep a relay from going on without its lane.
    const before = dc.received;
    const write = client.socket.write.bind(client.socket);
    const halves: Buffer[] = [];
    client.socket.write = (data: Buffer | string | Uint8Array) => halves.push(data as Buffer) > 0;
    client.send(Buffer.from('a message in pieces'));
    client.socket.write = write;
    const wire = Buffer.concat(halves);
    for (const [at, byte] of wire.entries()) {
      client.socket.write(wire.subarray(at, at + 1));
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (byte % 3 === 0) rig.plane.lanes?.leave(relay);
    }
    await until(() => dc.received === before + 19);
    expect(dc.last.toString('latin1').endsWith('a message in pieces')).toBe(true);
  });

  test.each([
    ['an alert', Buffer.from([0x15, 3, 3, 0, 2, 1, 0])],
    ['an old version', Buffer.from([0x17, 3, 1, 0, 1, 0])],
    ['a record that is too large', Buffer.from([0x17, 3, 3, 0x41, 0x01, 0])],
  ])('ends with a fault of the client at %s', async (_, wire) => {
    const { client, dc } = await open({ native: provider });
    client.socket.write(wire);
    await until(() => dc.ended !== null && client.ended !== null);
    expect(rig.counters.closes().client_fault).toBe(1);
    expect(rig.counters.total('faults')).toBe(0);
  });

  test.each(SHAPES)(
    'waits for who does not read, and loses nothing, fast mode $fast, records $framed',
    async (shape) => {
      const { client, dc } = await open({ ...shape, native: provider });
      const data = randomBytes(12_000_000);
      client.socket.pause();
      dc.socket.pause();
      dc.send(data);
      client.send(data);
      client.socket.end();
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(client.received).toBe(WARM);
      client.socket.resume();
      await until(() => client.received === data.length + WARM);
      dc.socket.resume();
      await until(() => dc.received === data.length + WARM && dc.ended !== null);
      expect(dc.ended).toBe('fin');
      const tail = data.subarray(-65_536);
      expect(dc.last.equals(tail)).toBe(true);
      expect(client.last.equals(tail)).toBe(true);
      expect(dc.digest.digest('hex')).toBe(sha(Buffer.concat([Buffer.from('ping'.repeat(5)), data])));
      expect(client.digest.digest('hex')).toBe(sha(Buffer.concat([Buffer.from('pong'.repeat(5)), data])));
    },
  );

  test('after the FIN of one side the other one may go on', async () => {
    const { client, dc } = await open({ native: provider });
    client.socket.end();
    await until(() => dc.ended === 'fin');
    dc.send(Buffer.from('still here'));
    await until(() => client.received === WARM + 10);
    dc.socket.end();
    await until(() => client.ended === 'fin' && rig.sessions.size === 0);
    expect(rig.counters.closes().client).toBe(1);
    expect(rig.counters.total('down')).toBe(WARM + 10);
  });

  test.each([
    ['client', 'client_reset'],
    ['dc', 'upstream_reset'],
  ] as const)('a reset of the %s is passed on', async (side, reason) => {
    const ends = await open({ native: provider });
    const other = side === 'client' ? ends.dc : ends.client;
    ends[side].send(Buffer.from('last words'));
    await until(() => other.received === WARM + 10);
    ends[side].socket.resetAndDestroy();
    await until(() => other.ended !== null && rig.sessions.size === 0);
    expect(other.ended).toBe('ECONNRESET');
    expect(rig.counters.closes()[reason]).toBe(1);
  });

  test('a FIN of the DC ends the client', async () => {
    const { client, dc } = await open({ native: provider });
    dc.socket.end(Buffer.alloc(0));
    await until(() => client.ended === 'fin');
    client.socket.end();
    await until(() => rig.sessions.size === 0);
    expect(rig.counters.closes().upstream).toBe(1);
  });

  test('bytes for a socket that is gone end the relay', async () => {
    const { client, dc } = await open({ native: provider });
    dc.socket.destroy();
    for (let turn = 0; rig.sessions.size > 0 && turn < 500; turn++) {
      if (!client.socket.destroyed) client.send(Buffer.alloc(1000));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(rig.sessions.size).toBe(0);
  });

  test('one that is quiet too long is closed, and one that moves is not', async () => {
    const { client, dc } = await open({ native: provider, idleMs: 1500 });
    for (let turn = 0; turn < 5; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      dc.send(Buffer.from('x'));
    }
    await until(() => client.received === WARM + 5);
    expect(client.ended).toBeNull();
    await until(() => client.ended !== null && rig.sessions.size === 0);
    expect(rig.counters.closes().idle).toBe(1);
  });
});

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KEY, type RunningEngine, startEngine } from '../support/engine.ts';
import { type FakeDc, startFakeDc } from '../support/fake-dc.ts';
import { acceptsHello, appData, CCS, connectEe, makeHello, Peer } from '../support/raw-client.ts';
import { type Site, siteIsPossible, startSite } from '../support/site.ts';
import { clientOpening, frame } from '../support/wire.ts';

let dc: FakeDc;
let site: Site | undefined;
let proxy: RunningEngine;

beforeAll(async () => {
  dc = await startFakeDc();
  site = siteIsPossible ? await startSite() : undefined;
  proxy = await startEngine({ dc, ...(site === undefined ? {} : { cover: site }), settings: { workers: 1 } });
});
afterAll(async () => {
  await proxy.stop();
  await Promise.all([dc.close(), site?.close()]);
});

/** How far a client comes before it leaves. */
const STAGES: Record<string, (peer: Peer) => Promise<void>> = {
  'after connecting': async () => Promise.resolve(),
  'in the first byte of a hello': async (peer) => peer.dribble(Buffer.from([0x16]), 1),
  'in the middle of a hello': async (peer) => peer.dribble(makeHello({ key: KEY }).subarray(0, 700), 700),
  'after a hello of another secret': async (peer) => {
    peer.send(makeHello({ key: randomBytes(16) }));
    await peer.take(1);
  },
  'with its hello on the way': async (peer) => peer.dribble(makeHello({ key: KEY }), 2000),
  'after the answer': async (peer) => {
    const hello = makeHello({ key: KEY });
    peer.send(hello);
    expect(await acceptsHello(peer, hello, KEY)).toBe(true);
  },
  'in the middle of its header': async (peer) => {
    const hello = makeHello({ key: KEY });
    peer.send(hello);
    expect(await acceptsHello(peer, hello, KEY)).toBe(true);
    peer.send(Buffer.concat([CCS, appData(clientOpening('dd', 2, KEY).header).subarray(0, 40)]));
  },
  'while its data centre is dialled': async (peer) => {
    const hello = makeHello({ key: KEY });
    peer.send(hello);
    expect(await acceptsHello(peer, hello, KEY)).toBe(true);
    peer.send(Buffer.concat([CCS, appData(clientOpening('dd', 2, KEY).header)]));
  },
  'in the middle of a transfer': async (peer) => {
    const hello = makeHello({ key: KEY });
    peer.send(hello);
    expect(await acceptsHello(peer, hello, KEY)).toBe(true);
    const { header, stream } = clientOpening('dd', 2, KEY);
    const order = Buffer.alloc(12);
    order.write('bulk');
    order.writeBigUInt64LE(5_000_000n, 4);
    peer.send(Buffer.concat([CCS, appData(Buffer.concat([header, stream.encrypt(frame('dd', order))]))]));
    await peer.take(100_000);
  },
  'after sending what is no record': async (peer) => {
    const hello = makeHello({ key: KEY });
    peer.send(hello);
    expect(await acceptsHello(peer, hello, KEY)).toBe(true);
    peer.send(randomBytes(100));
  },
};

test.each(Object.keys(STAGES).flatMap((stage) => [[stage, 'FIN'] as const, [stage, 'RST'] as const]))(
  'a client that leaves %s by %s takes everything of its along',
  async (stage, how) => {
    for (let turn = 0; turn < 10; turn++) {
      const peer = await Peer.open(proxy.target);
      await STAGES[stage]?.(peer);
      if (how === 'FIN') peer.close();
      else peer.socket.resetAndDestroy();
    }
    await expect
      .poll(async () => (await proxy.stats()).connections, { timeout: 15_000 })
      .toMatchObject({ current: 0, relayed: 0, cover: 0 });
    await expect.poll(() => dc.open, { timeout: 15_000 }).toBe(0);
    expect(proxy.events.filter(({ level }) => level === 'error')).toEqual([]);
    const session = await connectEe(proxy.target, { key: KEY });
    expect(await session?.reqPq()).toBe(true);
    session?.peer.close();
  },
);

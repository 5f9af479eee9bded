import { randomBytes } from 'node:crypto';
import net, { type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startBlackHole } from '../support/black-hole.ts';
import { KEY, me, startEngine } from '../support/engine.ts';
import { engineUser } from '../support/engine-user.ts';
import { startFakeDc } from '../support/fake-dc.ts';
import { acceptsHello, appData, CCS, makeHello, Peer, Session } from '../support/raw-client.ts';
import { clientOpening } from '../support/wire.ts';

/** More than are tried in one turn. */
const others = Array.from({ length: 1500 }, (_, index) =>
  engineUser(`user-${index}`, randomBytes(16).toString('hex'), 'cover.test'),
);

test('a client that stalls in its hello gets through while the cover that listens in cannot be reached', async () => {
  const dc = await startFakeDc();
  const cover = await startBlackHole('127.0.0.78');
  const proxy = await startEngine({ dc, cover: cover.endpoint, users: [...others, me] });
  const peer = await Peer.open(proxy.target);
  const hello = makeHello({ key: KEY });
  peer.send(hello.subarray(0, 900));
  await sleep(600);
  peer.send(hello.subarray(900));
  expect(await acceptsHello(peer, hello, KEY)).toBe(true);
  const { header, stream } = clientOpening('dd', 2, KEY);
  peer.send(Buffer.concat([CCS, appData(header)]));
  expect(await new Session(peer, 'dd', stream, true).reqPq()).toBe(true);
  peer.close();
  await proxy.stop();
  await Promise.all([dc.close(), cover.close()]);
});

test('many who come at once are let in, however long the search for their secrets takes and how fast the cover is', async () => {
  const dc = await startFakeDc();
  const cover = net.createServer((socket) => {
    socket.on('error', () => undefined).once('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  });
  await new Promise<void>((resolve) => cover.listen(0, '127.0.0.1', resolve));
  const crowd = Array.from({ length: 12_000 }, (_, index) =>
    engineUser(`user-${index}`, randomBytes(16).toString('hex'), 'cover.test'),
  );
  const { port } = cover.address() as AddressInfo;
  const at = { host: '127.0.0.1', port };
  const proxy = await startEngine({ dc, cover: at, users: crowd, settings: { workers: 1 } });
  // The last ones in the table: more than a quarter of a second of work for all of them.
  const keys = crowd.slice(-40).map(({ secrets: [secret] }) => Buffer.from(secret?.key ?? '', 'hex'));
  const accepted = await Promise.all(
    keys.map(async (key) => {
      const peer = await Peer.open(proxy.target);
      const hello = makeHello({ key });
      peer.send(hello);
      return acceptsHello(peer, hello, key).finally(() => peer.close());
    }),
  );
  expect(accepted.filter(Boolean)).toHaveLength(keys.length);
  await proxy.stop();
  await Promise.all([dc.close(), new Promise((resolve) => cover.close(resolve))]);
});

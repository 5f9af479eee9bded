import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inOrder } from '../../../src/daemon/engine/dc-order.ts';
import {
  cachedProfile,
  loadCoverCache,
  refreshCover,
  saveCoverCache,
} from '../../../src/daemon/jobs/cover-profiles.ts';
import { probeDcs } from '../../../src/daemon/jobs/dc-latency.ts';
import { startJobs } from '../../../src/daemon/jobs/schedule.ts';
import type { EngineSettings } from '../../../src/daemon/supervisor/engine.ts';
import { bareTelegram, cover, listen, type Peer, raw } from '../../lib/probe/servers.ts';

const edges = { timeoutMs: 3000, random: randomBytes, now: Date.now };
let dir: string;
let file: string;
const open: Peer[] = [];
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-jobs-'));
  file = path.join(dir, 'cover-profiles.json');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map(async (peer) => peer.close()));
  await rm(dir, { recursive: true });
});
async function use(peer: Promise<Peer>): Promise<Peer> {
  open.push(await peer);
  return peer;
}
const telegram = (dcs: EngineSettings['telegram']['dcs']): EngineSettings['telegram'] => ({
  dcs,
  prefer: 'ipv4',
  fallbackDc: 2,
  connectMs: 1000,
});

describe('cover profiles', () => {
  it('survive on disk, and count for the target where they were measured only', async () => {
    const target = await use(cover({ ecdhCurve: 'X25519' }));
    const { cache, status } = await refreshCover({}, { domain: 'cover.test', target }, edges);
    expect(status).toMatchObject({ state: 'ok', postQuantum: false });
    await saveCoverCache(file, cache);
    const loaded = await loadCoverCache(file);
    expect(loaded).toEqual(cache);
    expect(cachedProfile(loaded, { domain: 'cover.test', target })['cover.test']?.flightBytes).toBe(status.flightBytes);
    expect(cachedProfile(loaded, { domain: 'cover.test', target: { path: '/run/cover.sock' } })).toEqual({});
  });
  it('a cover that is down keeps the shape it had', async () => {
    const target = await use(cover({}));
    const first = await refreshCover({}, { domain: 'cover.test', target }, edges);
    await open.pop()?.close();
    const second = await refreshCover(first.cache, { domain: 'cover.test', target }, edges);
    expect(second.status).toMatchObject({ state: 'unreachable', flightBytes: first.status.flightBytes });
    expect(second.cache).toBe(first.cache);
  });
  it('a damaged or missing cache is an empty one', async () => {
    expect(await loadCoverCache(file)).toEqual({});
    await writeFile(file, '{"version":1,"profiles":{"a":{}}}');
    expect(await loadCoverCache(file)).toEqual({});
  });
});

describe('DC latency', () => {
  it('a DC is reachable when its second address answers', async () => {
    const dc = await use(bareTelegram(null));
    const closed = await raw(() => undefined);
    await closed.close();
    const [status] = await probeDcs(telegram({ '2': [closed, dc], '10002': [dc] }), edges);
    expect(status).toMatchObject({ dc: 2, ok: true, reason: null });
  });
  it('an unreachable DC has a reason and no time', async () => {
    const closed = await raw(() => undefined);
    await closed.close();
    expect(await probeDcs(telegram({ '4': [closed] }), edges)).toEqual([
      { dc: 4, ok: false, ms: null, reason: 'connection refused' },
    ]);
  });
  it('is measured through the SOCKS5 proxy where there is one', async () => {
    const dc = await use(bareTelegram(null));
    const seen: string[] = [];
    const socks = await use(
      listen(
        net.createServer((client) => {
          client.once('data', () => {
            client.write(Buffer.from([5, 0]));
            client.once('data', (request: Buffer) => {
              seen.push(request.toString('hex'));
              const upstream = net.connect(dc.port, dc.host, () => {
                client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
                client.pipe(upstream).pipe(client);
              });
              client.on('close', () => upstream.destroy());
            });
          });
        }),
      ),
    );
    const target = { host: '192.0.2.9', port: 443 };
    const [status] = await probeDcs(telegram({ '2': [target] }), { ...edges, via: socks });
    expect(status).toMatchObject({ ok: true });
    expect(seen).toEqual(['05010001c000020901bb']);
  });
  it('asks the preferred family first and the other not at all when told so', () => {
    const [four, six] = [
      { host: '192.0.2.1', port: 443 },
      { host: '2001:db8::1', port: 443 },
    ];
    expect(inOrder([four, six], 'ipv6')).toEqual([six, four]);
    expect(inOrder([four, six], 'ipv4-only')).toEqual([four]);
  });
});

describe('jobs', () => {
  it('a job that fails is reported and the schedule goes on', async () => {
    const failures: string[] = [];
    let runs = 0;
    const stop = startJobs(
      [
        {
          name: 'broken',
          cron: '* * * * * *',
          jitterMs: 0,
          run: async () => Promise.reject(new Error(String(++runs))),
        },
      ],
      (name) => void failures.push(name),
    );
    await expect.poll(() => failures.length, { timeout: 5000 }).toBeGreaterThan(1);
    await stop();
    expect(failures[0]).toBe('broken');
  });
});

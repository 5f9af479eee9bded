import { mkdtemp, rm } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findPortHolder, listeningInodes } from '../../../src/lib/system/port-holder.ts';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0000000000000000 100 0 0 10 0
   1: 0100007F:01BB 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4343 1 0000000000000000 20 4 30 10 -1
`;

describe('listening inodes', () => {
  it('counts listeners, not connections', () => {
    expect(listeningInodes(TABLE, 443)).toEqual(['4242']);
    expect(listeningInodes(TABLE, 80)).toEqual([]);
  });
  it('never throws on any text', () => {
    fc.assert(fc.property(fc.string(), fc.nat({ max: 65_535 }), (text, port) => void listeningInodes(text, port)));
  });
});

describe('port holder', () => {
  it('names the process that listens', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await findPortHolder(port)).toMatchObject({ pid: process.pid });
    await new Promise((resolve) => server.close(resolve));
    expect(await findPortHolder(port)).toBeUndefined();
  });
  it('is unknown where the process table is hidden', async () => {
    const empty = await mkdtemp(path.join(os.tmpdir(), 'mtp-proc-'));
    expect(await findPortHolder(443, empty)).toBeUndefined();
    await rm(empty, { recursive: true });
  });
});

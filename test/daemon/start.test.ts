import { EventEmitter } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findOrphans, removeEnginePids, writeEnginePids } from '../../src/daemon/engine-pid.ts';
import { assertBindable, explainListenError } from '../../src/daemon/listen-port.ts';
import { watchSignals } from '../../src/daemon/signals.ts';
import { MtpError } from '../../src/lib/errors.ts';

describe('listen errors', () => {
  it('a taken port names its holder', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(assertBindable({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'LISTEN_EADDRINUSE',
      exit: 5,
      message: expect.stringContaining(`(pid ${process.pid})`) as string,
    });
    await new Promise((resolve) => server.close(resolve));
    await expect(assertBindable({ host: '127.0.0.1', port })).resolves.toBeUndefined();
  });
  it('an address of another machine is said to be one', async () => {
    await expect(assertBindable({ host: '192.0.2.77', port: 44_321 })).rejects.toMatchObject({
      message: '192.0.2.77 is not an address of this machine',
    });
  });
  it('a privileged port tells the three ways out', async () => {
    const refused = await explainListenError({ host: '::', port: 443 }, new MtpError('EACCES', 'listen EACCES'));
    expect(refused).toMatchObject({ exit: 5, message: 'port 443 may not be bound by this user' });
    expect((refused as MtpError).hint).toMatch(/root.*CAP_NET_BIND_SERVICE.*8443/);
  });
  it('an error of the engine that is not about the port stays itself', async () => {
    const error = new MtpError('ENGINE', 'the engine ended with status 1');
    expect(await explainListenError({ host: '::', port: 443 }, error)).toBe(error);
  });
});

describe('engine of an earlier daemon', () => {
  it('is found by its command line, and another process with its number is not', async () => {
    const state = await mkdtemp(path.join(os.tmpdir(), 'mtp-pid-'));
    const proc = path.join(state, 'proc');
    await mkdir(path.join(proc, '4242'), { recursive: true });
    const commandLine = path.join(proc, '4242', 'cmdline');
    expect(await findOrphans(state, [], proc)).toEqual([]);
    await writeEnginePids(state, [4242, 4243]);
    await writeFile(commandLine, '/usr/bin/node\0/opt/mtp/dist/daemon/engine/main.js\0');
    expect(await findOrphans(state, [], proc)).toEqual([4242]);
    await writeFile(commandLine, '/usr/sbin/nginx\0');
    expect(await findOrphans(state, [], proc)).toEqual([]);
    await removeEnginePids(state);
    await removeEnginePids(state);
    expect(await findOrphans(state, [], proc)).toEqual([]);
    await rm(state, { recursive: true });
  });
});

describe('signals', () => {
  it('one interrupt stops, a second stops at once, a hang-up reloads', async () => {
    const source = new EventEmitter();
    const signals = watchSignals(source);
    let reloads = 0;
    signals.onHangUp(() => (reloads += 1));
    source.emit('SIGHUP');
    expect(reloads).toBe(1);
    source.emit('SIGINT');
    expect(await signals.stopped).toBe('SIGINT');
    source.emit('SIGINT');
    expect(await signals.stoppedAtOnce).toBe('at-once');
    signals.close();
    expect(source.eventNames()).toEqual([]);
  });
});

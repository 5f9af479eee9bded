import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os, { type NetworkInterfaceInfo } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findServer, type FoundServer } from '../../../src/lib/link/find-server.ts';
import { resolvePaths } from '../../../src/lib/system/paths.ts';
import type { Asker } from '../../../src/lib/ui/ask.ts';

let home: string;
let servers: http.Server[];
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-find-'));
  servers = [];
});
afterEach(async () => {
  for (const server of servers) server.close();
  await rm(home, { recursive: true });
});

/** A web service that tells every caller this. */
async function outside(answer: string): Promise<string> {
  const server = http.createServer((_request, response) => response.end(answer));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function find(
  own: string,
  answers: string[],
  { given, ask = null }: { given?: string; ask?: Asker | null } = {},
): Promise<FoundServer> {
  const entry: NetworkInterfaceInfo = {
    address: own,
    family: 'IPv4',
    internal: false,
    netmask: '255.255.255.0',
    mac: '00:00:00:00:00:00',
    cidr: null,
  };
  const paths = resolvePaths({ home, env: {}, isRoot: false, userHome: home });
  const urls = await Promise.all(answers.map(outside));
  return findServer(paths, given, { env: {}, interfaces: { eth0: [entry] }, urls, ask });
}

test('interface and outside agree', async () => {
  expect(await find('192.0.2.1', ['192.0.2.1', '192.0.2.1'])).toEqual({ server: '192.0.2.1', warnings: [] });
});

test('behind NAT it is what the outside sees', async () => {
  expect(await find('10.0.0.7', ['192.0.2.1\n'])).toEqual({ server: '192.0.2.1', warnings: [] });
});

test('where nobody outside tells, the link says so', async () => {
  const { server, warnings } = await find('192.0.2.1', ['<html>a page</html>', '2001:db8::1']);
  expect(server).toBeUndefined();
  expect(warnings).toEqual([expect.stringContaining('Nobody outside')]);
});

test.each([
  ['192.0.2.9', ['192.0.2.1'], ['192.0.2.1', '192.0.2.9']],
  ['10.0.0.7', ['192.0.2.1', '192.0.2.2'], ['192.0.2.1', '192.0.2.2']],
])('interface %s and outside %j: a person chooses, and nobody is status 64', async (own, answers, choices) => {
  const error = await find(own, answers).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ exit: 64, hint: expect.stringContaining('--server') as string });
  expect((error as Error).message).toContain(choices.join(' or '));
  let asked: string[] = [];
  const ask: Asker = {
    text: async () => Promise.reject(new Error('not asked')),
    confirm: async () => Promise.reject(new Error('not asked')),
    choose: async (_question, offered) => {
      asked = offered;
      return offered[1] ?? '';
    },
  };
  const { server, warnings } = await find(own, answers, { ask });
  expect(asked).toEqual(choices);
  expect(server).toBe(choices[1]);
  expect(warnings).toEqual([expect.stringContaining('mtp config set link.server')]);
});

test('what is given or configured is not asked about', async () => {
  expect(await find('192.0.2.9', ['192.0.2.1'], { given: 'proxy.example.com' })).toEqual({
    server: 'proxy.example.com',
    warnings: [],
  });
  await writeFile(path.join(home, 'config.toml'), '[link]\nserver = "proxy.example.com"\n');
  expect(await find('192.0.2.9', ['192.0.2.1'])).toEqual({ server: undefined, warnings: [] });
});

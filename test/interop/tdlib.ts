#!/usr/bin/env node
/**
 * Does TDLib, the library behind Telegram's own clients, get through a proxy? Give it the link:
 *
 *     node test/interop/tdlib.ts 'tg://proxy?server=…&port=…&secret=…' [--timeout SECONDS] [--expect refuse]
 *
 * Prints one line of JSON; see docs/interop.md. No login is needed: TDLib asks DC 2 for a key exchange and stops there.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { getTdjson } from 'prebuilt-tdlib';
import * as tdl from 'tdl';
import { readRequest, report } from './attempt.ts';

const request = readRequest();
const directory = mkdtempSync(path.join(os.tmpdir(), 'mtp-tdlib-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

tdl.configure({ tdjson: getTdjson(), verbosityLevel: 0 });
const client = tdl.createClient({
  apiId: 1,
  apiHash: '0123456789abcdef0123456789abcdef',
  databaseDirectory: path.join(directory, 'db'),
  filesDirectory: path.join(directory, 'files'),
});
client.on('error', () => undefined);

await report('tdlib', request, async () => {
  const { server, port, secret } = request;
  const type = { _: 'proxyTypeMtproto' as const, secret };
  await client.invoke({ _: 'pingProxy', proxy: { _: 'proxy', server, port, type } } as never);
  return {};
});

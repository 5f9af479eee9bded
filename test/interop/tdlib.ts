#!/usr/bin/env node
/**
 * Does TDLib, the library behind Telegram's own clients, get through a proxy? Give it the link:
 *
 *     node test/interop/tdlib.ts 'tg://proxy?server=…&port=…&secret=…' [--timeout SECONDS]
 *
 * Prints one line of JSON and exits with 0 when Telegram answered through the proxy, else with 1. No login is needed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { getTdjson } from 'prebuilt-tdlib';
import * as tdl from 'tdl';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { timeout: { type: 'string', default: '15' } },
});
const link = new URL(positionals[0] ?? '');
const server = link.searchParams.get('server') ?? '';
const port = Number(link.searchParams.get('port'));
const secret = link.searchParams.get('secret') ?? '';

function finish(result: { ok: boolean; seconds?: number; error?: string }): never {
  process.stdout.write(`${JSON.stringify({ client: 'tdlib', ...result })}\n`);
  process.exit(result.ok ? 0 : 1);
}

const directory = await mkdtemp(path.join(os.tmpdir(), 'tdlib-'));
process.on('exit', () => void rm(directory, { recursive: true, force: true }));
setTimeout(() => finish({ ok: false, error: 'no answer in time' }), Number(values.timeout) * 1000);

tdl.configure({ tdjson: getTdjson(), verbosityLevel: 0 });
const client = tdl.createClient({
  apiId: 1,
  apiHash: '0123456789abcdef0123456789abcdef',
  databaseDirectory: path.join(directory, 'db'),
  filesDirectory: path.join(directory, 'files'),
});
client.on('error', () => undefined);

try {
  const type = { _: 'proxyTypeMtproto' as const, secret };
  const answer: unknown = await client.invoke({ _: 'pingProxy', proxy: { _: 'proxy', server, port, type } } as never);
  const { seconds } = answer as { seconds: number };
  finish({ ok: true, seconds });
} catch (error) {
  finish({ ok: false, error: error instanceof Error ? error.message : JSON.stringify(error) });
}

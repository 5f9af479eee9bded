#!/usr/bin/env node
/**
 * A whole MTProto session with mtcute, an independent client, through a proxy: key exchange and one call. Give it the link:
 *
 *     node test/interop/mtcute.ts 'tg://proxy?server=…&port=…&secret=…' [--dc-key FILE] [--timeout SECONDS]
 *
 * Prints one line of JSON and exits with 0 when the call was answered, else with 1. `--dc-key` is the public key of a data
 * centre that is not Telegram's own.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { MemoryStorage, MtProxyTcpTransport, TelegramClient } from '@mtcute/node';
import { addPublicKey, NodeCryptoProvider } from '@mtcute/node/utils.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { timeout: { type: 'string', default: '15' }, 'dc-key': { type: 'string' } },
});
const link = new URL(positionals[0] ?? '');

function finish(result: { ok: boolean; ms?: number; country?: string; error?: string }): never {
  process.stdout.write(`${JSON.stringify({ client: 'mtcute', ...result })}\n`);
  process.exit(result.ok ? 0 : 1);
}

setTimeout(() => finish({ ok: false, error: 'no answer in time' }), Number(values.timeout) * 1000);
const crypto = new NodeCryptoProvider();
await crypto.initialize();
if (values['dc-key'] !== undefined) addPublicKey(crypto, readFileSync(values['dc-key'], 'utf8'));

const client = new TelegramClient({
  apiId: 1,
  apiHash: '0123456789abcdef0123456789abcdef',
  crypto,
  storage: new MemoryStorage(),
  disableUpdates: true,
  logLevel: 0,
  transport: new MtProxyTcpTransport({
    host: link.searchParams.get('server') ?? '',
    port: Number(link.searchParams.get('port')),
    secret: link.searchParams.get('secret') ?? '',
  }),
});
try {
  const from = performance.now();
  const { country } = await client.call({ _: 'help.getNearestDc' });
  finish({ ok: true, ms: Math.round(performance.now() - from), country });
} catch (error) {
  finish({ ok: false, error: error instanceof Error ? error.message : String(error) });
}

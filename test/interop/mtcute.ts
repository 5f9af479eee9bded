#!/usr/bin/env node
/**
 * A whole MTProto session with mtcute, an independent client, through a proxy: key exchange and one call. Give it the link:
 *
 *     node test/interop/mtcute.ts 'tg://proxy?server=…&port=…&secret=…' [--dc NUMBER] [--dc-key FILE]
 *         [--timeout SECONDS] [--expect refuse]
 *
 * Prints one line of JSON; see docs/interop.md.
 */
import { readFileSync } from 'node:fs';
import { MemoryStorage, MtProxyTcpTransport, TelegramClient } from '@mtcute/node';
import { addPublicKey, NodeCryptoProvider } from '@mtcute/node/utils.js';
import { readRequest, report } from './attempt.ts';

const request = readRequest();
const crypto = new NodeCryptoProvider();
await crypto.initialize();
if (request.dcKey !== undefined) addPublicKey(crypto, readFileSync(request.dcKey, 'utf8'));

const id = Math.abs(request.dc);
// The proxy looks up the address; mtcute puts only the number into the opening.
const dc = { id: id % 10_000, ipAddress: '0.0.0.0', port: 443, testMode: id > 10_000, mediaOnly: request.dc < 0 };
const client = new TelegramClient({
  apiId: 1,
  apiHash: '0123456789abcdef0123456789abcdef',
  crypto,
  storage: new MemoryStorage(),
  disableUpdates: true,
  logLevel: 0,
  defaultDcs: { main: dc, media: dc },
  transport: new MtProxyTcpTransport({ host: request.server, port: request.port, secret: request.secret }),
});

await report('mtcute', request, async () => {
  const { country, thisDc } = await client.call({ _: 'help.getNearestDc' });
  return { dc: thisDc, country };
});

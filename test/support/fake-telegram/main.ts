#!/usr/bin/env node
/**
 * A Telegram of one's own, for checks without a network:
 *
 *     node test/support/fake-telegram/main.ts [--host ADDRESS] [--port-base PORT] [--key-file FILE]
 *
 * Prints one line of JSON, the addresses of its data centres and the key that clients must know, and serves until a signal
 * ends it. The key goes to a file as well when one is named.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startFakeTelegram } from './telegram.ts';

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    'port-base': { type: 'string', default: '0' },
    'key-file': { type: 'string' },
  },
});
const telegram = await startFakeTelegram({ host: values.host, portBase: Number(values['port-base']) });
const { endpoints, publicKey } = telegram;
if (values['key-file'] !== undefined) writeFileSync(values['key-file'], publicKey);
process.stdout.write(`${JSON.stringify({ endpoints, publicKey })}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void telegram.close());

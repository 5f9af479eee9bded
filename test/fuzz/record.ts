#!/usr/bin/env node
/**
 * Record the hellos of real programs for the corpus: `node test/fuzz/record.ts`. Each program connects to a port of loopback
 * that listens and closes; what it said is saved in `corpus/`, with a line on what made it.
 */
import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const KEY = '00112233445566778899aabbccddeeff';
const version = (program: string, args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8' }).split(/ \(|\n| {2}/)[0] ?? '';
const OPENSSL = version('openssl', ['version']);
const CURL = version('curl', ['--version']);
const link = (port: number, secret: string): string => `tg://proxy?server=127.0.0.1&port=${port}&secret=${secret}`;
const EE = `ee${KEY}${Buffer.from('www.example.com').toString('hex')}`;
const s =
  (...more: string[]) =>
  (port: number): string[] => ['s_client', '-connect', `127.0.0.1:${port}`, ...more];
const url =
  (...more: string[]) =>
  (port: number): string[] => [
    '-sk',
    ...more,
    `https://www.example.com:${port}/`,
    '--resolve',
    `www.example.com:${port}:127.0.0.1`,
  ];
const interop =
  (client: string, secret: string) =>
  (port: number): string[] => [`${HERE}../interop/${client}.ts`, link(port, secret), '--timeout', '6'];
const node =
  (options: object) =>
  (port: number): string[] => [
    '-e',
    `require('tls').connect({port:${port},host:'127.0.0.1',...${JSON.stringify(options)}}).on('error',()=>{})`,
  ];

const SOURCES: [file: string, what: string, program: string, args: (port: number) => string[]][] = [
  ['openssl', OPENSSL, 'openssl', s('-servername', 'www.example.com', '-alpn', 'h2,http/1.1')],
  ['openssl-no-name', `${OPENSSL}, no server name`, 'openssl', s('-noservername')],
  ['openssl-tls12', `${OPENSSL}, TLS 1.2 only`, 'openssl', s('-servername', 'www.example.com', '-tls1_2')],
  [
    'openssl-one-cipher',
    `${OPENSSL}, one cipher`,
    'openssl',
    s('-tls1_3', '-ciphersuites', 'TLS_CHACHA20_POLY1305_SHA256'),
  ],
  ['curl-http1', `${CURL}, HTTP/1.1`, 'curl', url('--http1.1')],
  ['curl-http2', `${CURL}, HTTP/2`, 'curl', url('--http2')],
  ['node', `Node.js ${process.versions.node}`, process.execPath, node({ servername: 'www.example.com' })],
  ['node-tls12', `Node.js ${process.versions.node}, TLS 1.2 only`, process.execPath, node({ maxVersion: 'TLSv1.2' })],
  ['tdlib', 'TDLib 1.8.65', process.execPath, interop('tdlib', EE)],
  ['mtcute', 'mtcute 0.30.3', process.execPath, interop('mtcute', EE)],
  ['mtcute-bare', 'mtcute 0.30.3 with a dd secret (obfuscated2)', process.execPath, interop('mtcute', `dd${KEY}`)],
];

/** The first bytes that somebody sends, all that came within a moment. */
async function record(program: string, args: (port: number) => string[]): Promise<Buffer> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const first = new Promise<Buffer>((resolve) => {
    server.on('connection', (socket) => {
      const parts: Buffer[] = [];
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        if (parts.push(chunk) === 1) setTimeout(() => resolve(Buffer.concat(parts)), 300);
      });
    });
  });
  const child = execFile(program, args((server.address() as AddressInfo).port), () => undefined);
  const bytes = await first;
  child.kill();
  server.close();
  return bytes;
}

for (const [file, what, program, args] of SOURCES) {
  const bytes = await record(program, args);
  const lines = bytes.toString('hex').match(/.{1,120}/g) ?? [];
  writeFileSync(`${HERE}corpus/${file}.hex`, `# ${what}\n${lines.join('\n')}\n`);
  process.stdout.write(`${file}: ${bytes.length} bytes\n`);
}
process.exit(0);

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type FakeDc, startFakeDc } from '../support/fake-dc.ts';
import { freePort, type Site, siteIsPossible, startSite } from '../support/site.ts';

const MTP = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const CLIENTS = ['tdlib', 'mtcute'] as const;

let dc: FakeDc;
let site: Site | undefined;
let home: string;
let proxy: ChildProcess | undefined;

beforeAll(async () => {
  dc = await startFakeDc('mtproto');
  site = siteIsPossible ? await startSite() : undefined;
  home = await mkdtemp(path.join(os.tmpdir(), 'mtp-interop-'));
  await writeFile(path.join(home, 'dc.pem'), dc.publicKey ?? '');
});
afterAll(async () => {
  await Promise.all([dc.close(), site?.close()]);
  await rm(home, { recursive: true });
});
afterEach(async () => {
  if (proxy?.exitCode !== null) return;
  const ended = new Promise((resolve) => proxy?.once('exit', resolve));
  proxy.kill('SIGINT');
  proxy.kill('SIGINT');
  await ended;
});

async function mtp(...args: string[]): Promise<unknown> {
  const env = { ...process.env, MTP_HOME: home };
  return JSON.parse((await promisify(execFile)(process.execPath, [MTP, ...args, '--json'], { env })).stdout) as unknown;
}

/** Start the product as an operator does and return the links of its first user by mode. */
async function start(workers: number, modes: string): Promise<Record<string, string>> {
  const at = `127.0.0.1:${dc.port}`;
  const dcs = Object.fromEntries([1, 2, 3, 4, 5, 203].map((number) => [`MTP_TELEGRAM_DC_${number}`, at]));
  const env = {
    ...process.env,
    ...dcs,
    MTP_HOME: home,
    MTP_PROTOCOL_MODES: modes,
    MTP_LISTEN_PORT: String(await freePort()),
    MTP_LINK_SERVER: '127.0.0.1',
    MTP_COVER_DOMAIN: 'cover.test',
    MTP_COVER_TARGET: `127.0.0.1:${site?.port ?? 9}`,
  };
  const child = spawn(process.execPath, [MTP, 'run', '--json', '--workers', String(workers)], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  proxy = child;
  const line = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) resolve(text);
    });
    child.once('exit', (code) => reject(new Error(`mtp run ended with ${code}`)));
  });
  const { listening, links } = JSON.parse(line) as { listening: { port: number }; links: { secret: string }[] };
  const key = /([0-9a-f]{32})/.exec(links[0]?.secret.replace(/^(ee|dd)(?=[0-9a-f]{32})/, '') ?? '')?.[1] ?? '';
  const link = (secret: string): string => `tg://proxy?server=127.0.0.1&port=${listening.port}&secret=${secret}`;
  const domain = Buffer.from('cover.test').toString('hex');
  const wrong = randomBytes(16).toString('hex');
  return {
    ee: link(`ee${key}${domain}`),
    dd: link(`dd${key}`),
    plain: link(key),
    'wrong ee': link(`ee${wrong}${domain}`),
    'wrong dd': link(`dd${wrong}`),
    'wrong plain': link(wrong),
  };
}

/** Whether a stock client gets through with a link. */
async function passes(client: (typeof CLIENTS)[number], link: string): Promise<boolean> {
  const script = fileURLToPath(new URL(`${client}.ts`, import.meta.url));
  const key = client === 'mtcute' ? ['--dc-key', path.join(home, 'dc.pem')] : [];
  const args = [script, link, '--timeout', link.includes('WRONG') ? '4' : '20', ...key];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 }).catch(
    (error: unknown) => error as { stdout: string },
  );
  return (JSON.parse(stdout) as { ok: boolean }).ok;
}

const RIGHT = ['ee', 'dd', 'plain'];

test.each([1, 2])(
  'TDLib and mtcute get through in every mode, and only with the secret (%i workers)',
  async (workers) => {
    const links = await start(workers, 'ee,dd,plain');
    const outcome: Record<string, boolean> = {};
    const expected: Record<string, boolean> = {};
    for (const client of CLIENTS) {
      for (const mode of RIGHT) {
        expected[`${client} ${mode}`] = true;
        outcome[`${client} ${mode}`] = await passes(client, links[mode] ?? '');
      }
      await Promise.all(
        RIGHT.map(async (mode) => {
          expected[`${client} wrong ${mode}`] = false;
          outcome[`${client} wrong ${mode}`] = await passes(client, `${links[`wrong ${mode}`]}&WRONG`);
        }),
      );
    }
    expect(outcome).toEqual(expected);
    const status = (await mtp('status')) as { traffic: { handshakes: Record<string, number> } };
    const { handshakes } = status.traffic;
    process.stdout.write(`handshakes with ${workers} workers: ${JSON.stringify(handshakes)}\n`);
    expect(handshakes.ok).toBeGreaterThanOrEqual(6);
    expect((handshakes.bad_hmac ?? 0) + (handshakes.bad_tag ?? 0)).toBeGreaterThanOrEqual(6);
  },
  120_000,
);

test('by default only fake-TLS gets through', async () => {
  const links = await start(2, 'ee');
  const got = await Promise.all(
    CLIENTS.flatMap((client) =>
      RIGHT.map(
        async (mode) => `${client} ${mode} ${await passes(client, `${links[mode]}${mode === 'ee' ? '' : '&WRONG'}`)}`,
      ),
    ),
  );
  expect(got.sort()).toEqual([
    'mtcute dd false',
    'mtcute ee true',
    'mtcute plain false',
    'tdlib dd false',
    'tdlib ee true',
    'tdlib plain false',
  ]);
}, 60_000);

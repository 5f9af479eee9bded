import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import { HANDSHAKE_RESULTS } from '../../src/daemon/supervisor/engine.ts';
import type { StatusReply } from '../../src/lib/control/schema.ts';
import { formatBytes, formatSpan } from '../../src/lib/ui/format.ts';

import { fit, statusLines } from '../../src/lib/ui/screen.ts';
import { QUIET } from '../support/control.ts';

const BIN = fileURLToPath(new URL('../../bin/dev.js', import.meta.url));
const plain = new Chalk({ level: 0 });

const STATUS: StatusReply = {
  version: '0.1.0',
  pid: 1,
  startedAt: 0,
  revision: 'abcdef0123456789',
  engine: {
    state: 'running',
    pid: 2,
    listening: { host: '::', port: 443 },
    workers: 2,
    accelerator: 'native',
    ...QUIET,
    restarts: 1,
    lastError: { at: 60_000, message: 'the engine ended with signal SIGKILL' },
  },
  cap: { connections: 3620, bound: 'memory' },
  users: { total: 3, enabled: 2 },
  traffic: {
    connections: { current: 5, relayed: 4, cover: 1, total: 90 },
    handshakes: { ok: 80, skew: 2, replay: 0 },
    closes: { client: 85 },
    workerFailures: 0,
    faults: 0,
    bytes: { up: 1536, down: 5_000_000 },
    rssBytes: 104_857_600,
  },
  dcAddresses: [],
  usage: { flushedAt: 0, failure: null },
  announcements: { due: 0, givenUp: 0, failure: null, nextAt: null },
  dcs: [
    { dc: 1, ok: true, ms: 45, reason: null },
    { dc: 2, ok: false, ms: null, reason: 'no answer' },
  ],
  cover: {
    domain: 'example.org',
    target: 'example.org:443',
    state: 'ok',
    checkedAt: 1,
    reason: null,
    flightBytes: 2900,
    postQuantum: true,
  },
  warnings: [],
};

describe('mtp status', () => {
  it('without a daemon ends with status 1 and says where it looked', async () => {
    const home = await mkdtemp(path.join(os.tmpdir(), 'mtp-status-'));
    const text = spawnSync(process.execPath, [BIN, 'status', '--home', home], { encoding: 'utf8' });
    expect(text.status).toBe(1);
    expect(text.stderr).toContain(`no proxy runs here: nothing answers on ${home}`);
    const json = spawnSync(process.execPath, [BIN, 'status', '--json', '--home', home], { encoding: 'utf8' });
    expect(json.status).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'NOT_RUNNING' } });
    await rm(home, { recursive: true });
  });

  it('an engine that keeps ending stands out, with its last error and when it is tried again', () => {
    const failing = { state: 'failing' as const, pid: null, listening: null, loopingEnds: 6, nextTryAt: 150_000 };
    const engine = { ...STATUS.engine, ...failing };
    const text = statusLines({ ...STATUS, engine, traffic: null }, 120_000, plain).join('\n');
    expect(text).toContain('failing, not listening');
    expect(text).toContain('Failing: the engine ended 6 times in ten minutes; next try in 30s');
    expect(text).toContain('the engine ended with signal SIGKILL (1m ago)');
  });

  it('shows with which rights the engine runs, and the engines that still drain', () => {
    const process = { uid: 998, user: 'mtp', capEff: '0000000000000000', noNewPrivs: true };
    const draining = [
      { pid: 7, since: 0, until: 180_000, connections: 3 },
      { pid: 8, since: 0, until: 180_000, connections: null },
    ];
    const engine = { ...STATUS.engine, process, draining };
    const text = statusLines({ ...STATUS, engine }, 120_000, plain).join('\n');
    expect(text).toContain('version 0.1.0, process 2, user mtp, no capabilities, no new privileges');
    expect(text).toContain('process 7, 3 connections left, ends in 1m at most');
    expect(text).toContain('process 8, does not answer');
  });

  it('shows what there is, and no class of handshake that did not occur', () => {
    const text = statusLines(STATUS, 120_000, plain).join('\n');
    expect(text).toContain('running, port 443, 2 workers, up 2m');
    expect(text).toContain('5 open (4 relayed, 1 at the cover), 90 in all');
    expect(text).toContain('ok 80  skew 2');
    expect(text).not.toContain('replay');
    expect(text).toContain('1.5 KB up, 4.8 MB down');
    expect(text).toContain('DC1 45 ms  DC2 unreachable');
    expect(text).toContain('X25519MLKEM768, 2900 bytes');
    expect(text).toContain('the engine ended with signal SIGKILL (1m ago)');
  });

  it.each([
    ['native', /Accelerator +native$/m],
    ['none', /Accelerator +none; ciphers go through node:crypto$/m],
  ] as const)('an accelerator that is %s is said to be', (accelerator, words) => {
    const text = statusLines({ ...STATUS, engine: { ...STATUS.engine, accelerator } }, 0, plain).join('\n');
    expect(text).toMatch(words);
  });

  it('says nothing of the accelerator while there is no engine', () => {
    const engine = { ...STATUS.engine, accelerator: null };
    expect(statusLines({ ...STATUS, engine }, 0, plain).join('\n')).not.toContain('Accelerator');
  });

  it('says what failed by errors of ours, and nothing while nothing did', () => {
    const traffic = { ...(STATUS.traffic as NonNullable<StatusReply['traffic']>), workerFailures: 1, faults: 2 };
    expect(statusLines({ ...STATUS, traffic }, 0, plain).join('\n')).toMatch(
      /Failed +1 worker, 2 connections, by errors/,
    );
    expect(statusLines(STATUS, 0, plain).join('\n')).not.toContain('Failed');
  });

  it('says that the hook fails, and what is left to tell', () => {
    const failing = { due: 2, givenUp: 1, failure: 'it ended with status 3', nextAt: 40_000 };
    const text = statusLines({ ...STATUS, announcements: failing }, 0, plain).join('\n');
    expect(text).toContain('on-rotate fails: it ended with status 3; 2 new secrets to tell of, next try in 40s');
    expect(text).toContain('1 new secret given up: tell of them with "mtp secret announce"');
    const fresh = { due: 2, givenUp: 0, failure: null, nextAt: 0 };
    expect(statusLines({ ...STATUS, announcements: fresh }, 0, plain).join('\n')).not.toContain('on-rotate');
  });

  it.each([
    [80, 0],
    [60, 0],
    [60, 1],
  ] as const)('at %i columns breaks lines between words, below what they belong to (colours %i)', (columns, level) => {
    const long = 'cannot bind port 443: another process holds it, of which nothing more can be seen from here';
    const address = { failures: 300, opens: 1, lastError: 'ETIMEDOUT', retryMs: 900, warm: 0 };
    const process = { uid: 998, user: 'a-user-with-a-name', capEff: '000001ffffffffff', noNewPrivs: true };
    const traffic = {
      ...(STATUS.traffic as NonNullable<StatusReply['traffic']>),
      connections: { current: 123_456, relayed: 123_400, cover: 56, total: 9_876_543_210 },
      handshakes: Object.fromEntries(HANDSHAKE_RESULTS.map((result) => [result, 1_234_567])),
      workerFailures: 1000,
      faults: 1000,
    };
    const status: StatusReply = {
      ...STATUS,
      engine: {
        ...STATUS.engine,
        state: 'failing',
        loopingEnds: 12,
        nextTryAt: 150_000,
        process,
        draining: [{ pid: 4_000_000, since: 0, until: 180_000, connections: 50_000 }],
        lastError: { at: 60_000, message: long },
      },
      traffic,
      announcements: { due: 2, givenUp: 1, failure: 'others may write /etc/mtp/hooks.d/on-rotate', nextAt: 40_000 },
      dcs: [1, 2, 3, 4, 5].map((dc) => ({ dc, ok: false, ms: null, reason: `${long} ${dc}` })),
      dcAddresses: [{ dc: 4, host: '2001:67c:4e8:f004::a', port: 443, state: 'open', ...address }],
      cover: { ...STATUS.cover, domain: 'a-long-name.of-a-site.example.org', state: 'unreachable', reason: long },
    };
    const lines = statusLines(status, 120_000, new Chalk({ level }));
    const fitted = fit(lines, columns).join('\n').split('\n').map(stripVTControlCharacters);
    expect(fitted.filter((line) => line.length > columns)).toEqual([]);
    const words = (text: string[]): string[] => text.map(stripVTControlCharacters).join(' ').trim().split(/\s+/);
    expect(words(fitted)).toEqual(words(lines));
    expect(
      fitted.every((line) => /^ (\S.{12}| {13})\S/.test(line)),
      fitted.join('\n'),
    ).toBe(true);
    expect(fit(lines, undefined)).toEqual(lines);
    expect(fit(lines, 0)).toEqual(lines);
  });

  it('names the addresses that are passed over, and what is held open', () => {
    const fine = { failures: 0, opens: 0, lastError: null, retryMs: null, warm: 2 };
    const failing = { failures: 3, opens: 1, lastError: 'ETIMEDOUT', retryMs: 900, warm: 0 };
    const dcAddresses = [
      { dc: 2, host: '149.154.167.51', port: 443, state: 'open' as const, ...failing },
      { dc: 2, host: '95.161.76.100', port: 443, state: 'closed' as const, ...fine },
      { dc: 4, host: '2001:67c:4e8:f004::a', port: 443, state: 'half-open' as const, ...failing },
    ];
    const text = statusLines({ ...STATUS, dcAddresses }, 0, plain).join('\n');
    expect(text).toContain('DC2 149.154.167.51:443 passed over (3 failures, ETIMEDOUT)');
    expect(text).toContain('DC4 [2001:67c:4e8:f004::a]:443 being tried');
    expect(text).not.toContain('95.161.76.100');
    expect(text).toMatch(/Held open +DC2 2$/m);
    expect(statusLines(STATUS, 0, plain).join('\n')).not.toMatch(/passed over|Held open/);
  });

  it('says that nobody reaches Telegram when no data centre answers', () => {
    const dcs = STATUS.dcs.map((dc) => ({ ...dc, ok: false, ms: null, reason: 'network unreachable' }));
    const text = statusLines({ ...STATUS, dcs }, 0, plain).join('\n');
    expect(text).toContain('No data centre answers (network unreachable)');
  });

  it.each([
    ['unreachable', 'Strangers are reset'],
    ['not-tls13', 'mtp config set cover.domain'],
    ['unknown', 'not probed yet'],
  ] as const)('a cover that is %s is said to be', (state, words) => {
    const text = statusLines({ ...STATUS, cover: { ...STATUS.cover, state, reason: 'x' } }, 0, plain).join('\n');
    expect(text).toContain(words);
  });
});

describe('figures', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KB'],
    [150 * 1024, '150 KB'],
    [2 ** 40, '1.0 TB'],
  ])('%i bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
  it.each([
    [0, '0s'],
    [59_999, '59s'],
    [3_600_000, '1h'],
    [90_061_000, '1d 1h'],
  ])('%i ms are %s', (ms, text) => expect(formatSpan(ms)).toBe(text));
});

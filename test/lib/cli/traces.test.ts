import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, test } from 'vitest';
import { startControl } from '../../../src/daemon/control/server.ts';
import { controlActions } from '../../support/control.ts';

const BIN = fileURLToPath(new URL('../../../bin/dev.js', import.meta.url));
const home = mkdtempSync(path.join(os.tmpdir(), 'mtp-traces-'));
afterAll(() => rmSync(home, { recursive: true }));

/** A failure that no code of ours expects. */
const BROKEN = 'data:text/javascript,process.getuid=()=>{throw new Error("provoked")}';
const TRACE = /^\s+at .*:\d+:\d+/m;

function provoke(env: NodeJS.ProcessEnv, ...args: string[]) {
  return spawnSync(process.execPath, ['--import', BROKEN, BIN, 'config', 'list', '--home', home, ...args], {
    encoding: 'utf8',
    env: { ...process.env, DEBUG: undefined, MTP_DEBUG: undefined, ...env },
  });
}

describe('an internal error of a command', () => {
  test.each([[], ['--json']])('shows no trace unless it is asked for (%j)', (...args) => {
    const { status, stdout, stderr } = provoke({}, ...args);
    expect(status).toBe(1);
    expect(stdout + stderr).toContain('unexpected failure: provoked');
    expect(stdout + stderr).toContain('MTP_DEBUG=1');
    expect(stdout + stderr).not.toMatch(TRACE);
  });

  test.each([{ MTP_DEBUG: '1' }, { DEBUG: 'mtp*' }])('shows it with %j', (env) => {
    expect(provoke(env).stderr).toMatch(TRACE);
  });

  test('shows none where it is said that it is not wanted', () => {
    expect(provoke({ MTP_DEBUG: '0' }).stderr).not.toMatch(TRACE);
  });
});

describe('an internal error of the daemon', () => {
  it('leaves the control socket without a trace', async () => {
    const socket = path.join(home, 'control.sock');
    const app = await startControl(
      socket,
      controlActions({
        status: async () => {
          throw new TypeError('provoked');
        },
      }),
    );
    const body = await new Promise<string>((resolve, reject) => {
      http
        .get({ socketPath: socket, path: '/status' }, (reply) => {
          let text = '';
          reply.on('data', (chunk: Buffer) => (text += chunk.toString()));
          reply.on('end', () => resolve(text));
        })
        .on('error', reject);
    });
    await app.close();
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'BUG', message: 'unexpected failure: provoked' } });
    expect(body).not.toMatch(/\bat \S*.*:\d+:\d+|node_modules|\.ts/);
  });
});

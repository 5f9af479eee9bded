import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadHistory } from '../../src/lib/config/history.ts';
import { type Installation, installation } from '../support/installation.ts';
import { isRunning } from '../support/load.ts';

const PRELOAD = fileURLToPath(new URL('fixtures/die-at.ts', import.meta.url));

let at: Installation;
beforeEach(async () => {
  at = await installation();
});
afterEach(async () => at.close());

/** By a change that the engine takes as it runs, and by one that needs another engine. */
const CHANGES = {
  'in place': {
    text: '\n[limits]\nidle_timeout = "5m"\n',
    steps: ['told', 'applied', 'proving', 'history', 'reloaded'],
  },
  'by a hand-over': {
    text: '\n[limits]\nidle_timeout = "5m"\n[workers]\ncount = 1\n',
    steps: ['told', 'proving', 'switched', 'history', 'reloaded'],
  },
};
const cases = Object.entries(CHANGES).flatMap(([how, { text, steps }]) => steps.map((step) => ({ how, step, text })));

describe('a daemon that is killed in a reload', { timeout: 60_000 }, () => {
  test.each(cases)(
    '$how at $step: clients are served on, and the next daemon serves the files',
    async ({ step, text }) => {
      Object.assign(at.env, { NODE_OPTIONS: `--import=${PRELOAD}`, MTP_TEST_DIE: step });
      await at.mtp('start');
      const pid = await at.pid();
      await at.append(text);
      expect((await at.mtp('reload', '--yes')).status).toBe(75);
      expect(isRunning(pid)).toBe(false);
      expect(await at.handshake()).toBe(true);
      expect((await at.mtp('status')).stderr).toContain('goes on relaying');

      at.env.NODE_OPTIONS = '';
      const started = await at.mtp('start');
      expect(started, started.stderr).toMatchObject({ status: 0 });
      expect(await at.handshake()).toBe(true);
      const [newest] = await loadHistory(at.paths);
      expect(newest?.text).toBe(await readFile(at.paths.configFile, 'utf8'));
      const again = await at.mtp('reload', '--json');
      expect(JSON.parse(again.stdout)).toMatchObject({ changed: false, restartNeeded: [] });
      await expect.poll(async () => (await at.status())?.engine.draining, { timeout: 20_000 }).toEqual([]);
    },
  );
});

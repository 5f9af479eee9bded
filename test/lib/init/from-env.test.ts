import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readEnvAnswers } from '../../../src/lib/init/from-env.ts';

const KEY = '367a189aee18fa31c190054efd4a8e01';

let dir: string;
beforeEach(async () => (dir = await mkdtemp(path.join(os.tmpdir(), 'from-env-'))));
afterEach(async () => rm(dir, { recursive: true }));

async function answers(...lines: string[]) {
  const file = path.join(dir, '.env');
  await writeFile(file, lines.join('\n'));
  return readEnvAnswers(file);
}

test('a .env file answers, and its other settings and its secret are taken over', async () => {
  const found = await answers(
    'MTG_PORT=8443',
    'SERVER_HOST=proxy.example',
    'MTG_WORKERS=2',
    `MTG_SECRET=ee${KEY}${Buffer.from('a.example').toString('hex')}`,
  );
  expect(found).toEqual({
    wishes: { domain: 'a.example', port: 8443, server: 'proxy.example', coverTarget: undefined },
    edits: [{ key: 'workers.count', value: 2 }],
    key: Buffer.from(KEY, 'hex'),
    notes: [],
  });
});

test('links of the kind that the secret has stay valid', async () => {
  expect((await answers(`MTG_SECRET=dd${KEY}`)).edits).toEqual([{ key: 'protocol.modes', value: ['ee', 'dd'] }]);
  expect((await answers('MTG_SECURE_ONLY=true', `MTG_SECRET=${KEY}`)).edits).toEqual([
    { key: 'protocol.modes', value: ['ee', 'dd', 'plain'] },
    { key: 'protocol.transports', value: ['padded', 'intermediate', 'abridged'] },
  ]);
});

test('what is left out is named by line, and a weak secret is said to be one', async () => {
  const { notes, key } = await answers('FOO=1', `MTG_SECRET=dd${'0'.repeat(32)}`);
  expect(key).toEqual(Buffer.alloc(16));
  expect(notes).toEqual([
    `${dir}/.env:1: FOO: not known, left out`,
    'The secret is easy to guess (it is all zero); replace it with: mtp secret rotate',
  ]);
});

test('a secret that is none is an error that does not quote it', async () => {
  await expect(answers('MTG_SECRET=dd0011')).rejects.toThrow(/^this is not a secret: (?!.*0011)/);
});

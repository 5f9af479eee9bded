import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemLayout } from '../../../src/lib/init/layout.ts';
import { userStep } from '../../../src/lib/init/user-step.ts';
import { loadUser } from '../../../src/lib/users/load.ts';
import { addUser } from '../../../src/lib/users/store.ts';

const KEY = Buffer.from('367a189aee18fa31c190054efd4a8e01', 'hex');

let root: string;
beforeEach(async () => (root = await mkdtemp(path.join(os.tmpdir(), 'user-step-'))));
afterEach(async () => rm(root, { recursive: true }));

test.each(['a new user', 'one who is there'])('a given secret becomes that of %s', async (who) => {
  const layout = systemLayout(root);
  if (who !== 'a new user') await addUser(layout.paths, { name: 'me' });
  const step = userStep(layout, 'me', KEY);
  expect(await step.holds()).toBe(false);
  await step.act();
  expect(await step.holds()).toBe(true);
  const { user } = await loadUser(layout.paths, 'me');
  expect(user.secrets.map(({ key }) => key)).toContain(KEY.toString('hex'));
});

import { describe, expect, it } from 'vitest';
import { unfitFor } from '../../src/daemon/unfit.ts';
import { evaluate } from '../../src/lib/config/evaluate.ts';
import type { Settings } from '../../src/lib/config/schema.ts';
import { user } from '../support/users.ts';

function settings(text: string): Settings {
  const read = evaluate({ file: { text, name: 'c.toml' } });
  if (!read.ok) throw new Error(read.problems[0]?.message);
  return read.config.settings;
}

const USERS = [user('ann', '00112233445566778899aabbccddeeff'), user('bob', '3acad049c267582aea157109ea935790')];
const HERE =
  '[telegram.dc]\n2 = ["127.0.0.1:8443"]\n4 = ["[::1]:8443", "149.154.167.91:443"]\n5 = ["91.108.56.130:443"]\n';

describe('what is fit for tests only', () => {
  it('is nothing in a plain installation', () => {
    expect(unfitFor(settings(''), [USERS[1] as (typeof USERS)[number]])).toEqual([]);
  });

  it('is said where a data centre is this machine, and of secrets that can be guessed', () => {
    expect(unfitFor(settings(HERE), USERS)).toEqual([
      expect.stringMatching(/^telegram\.dc\.2, 4 leads to this machine/),
      '1 user with a secret that is easy to guess (ann): mtp secret rotate NAME',
    ]);
  });

  it('is said of the log in staging, and never in development', () => {
    const debug = `log.level = "debug"\n${HERE}`;
    expect(unfitFor(settings(`deployment.env = "staging"\n${debug}`), USERS)).toHaveLength(3);
    expect(unfitFor(settings(`deployment.env = "development"\n${debug}`), USERS)).toEqual([]);
  });
});

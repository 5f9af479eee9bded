import { describe, expect, test } from 'vitest';
import { bestLink, describeAccess, userLinks } from '../../../src/lib/link/access.ts';
import { parseLink } from '../../../src/lib/link/link.ts';
import { evaluate } from '../../../src/lib/config/evaluate.ts';
import type { Settings } from '../../../src/lib/config/schema.ts';

const KEY = '3acad049c267582aea157109ea935790';

function settings(text: string): Settings {
  const evaluation = evaluate({ file: { text, name: 'config.toml' } });
  return evaluation.ok ? evaluation.config.settings : expect.fail(JSON.stringify(evaluation.problems));
}

describe('describeAccess', () => {
  test('the port is that of the link, else of the running proxy, else of the configuration', () => {
    const listen = '[listen]\nport = 1000\n';
    expect(describeAccess(settings(`${listen}[link]\nport = 2000\n`), 3000, {}).port).toBe(2000);
    expect(describeAccess(settings(listen), 3000, {}).port).toBe(3000);
    expect(describeAccess(settings(listen), undefined, {}).port).toBe(1000);
  });

  test('says when clients cannot reach the server', () => {
    expect(describeAccess(settings(''), 443, {}).warnings).toEqual([expect.stringContaining('this machine only')]);
    expect(describeAccess(settings('[link]\nserver = "10.0.0.1"\n'), 443, {}).warnings).toEqual([
      expect.stringContaining('local network only'),
    ]);
    expect(describeAccess(settings('[link]\nserver = "2001:db8::1"\n'), 443, {}).warnings).toEqual([
      expect.stringContaining('IPv6'),
    ]);
    expect(describeAccess(settings('[link]\nserver = "h.example"\n'), 443, {}).warnings).toEqual([]);
  });

  test('there is a link for every mode that is on, the best first', () => {
    const text =
      '[link]\nserver = "h.example"\n[protocol]\nmodes = ["plain", "ee"]\n[cover]\ndomain = "site.example"\n';
    const access = describeAccess(settings(text), 443, {});
    const links = userLinks({ key: KEY }, access);
    expect(links.map(({ mode }) => mode)).toEqual(['ee', 'plain']);
    expect(bestLink({ key: KEY }, access)).toEqual(links[0]);
    expect(parseLink(links[0]?.tg ?? '').secret).toEqual({
      mode: 'ee',
      key: Buffer.from(KEY, 'hex'),
      domain: 'site.example',
    });
  });
});

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderIptables } from '../../../src/lib/firewall/iptables/guard.ts';
import type { Intent } from '../../../src/lib/firewall/intent.ts';
import { tidyNetworks } from '../../../src/lib/firewall/network.ts';
import { linesOfFile, linesOfListing, type NftListing } from '../../../src/lib/firewall/nft/read.ts';
import { renderNft } from '../../../src/lib/firewall/nft/render.ts';
import { prepareChange } from '../../../src/lib/firewall/pending.ts';
import { renderUnit } from '../../../src/lib/firewall/persist.ts';
import { renderProfile } from '../../../src/lib/firewall/opening/ufw.ts';
import { readFileSync } from 'node:fs';
import { has, hostsArePossible } from '../../support/two-hosts.ts';

const PLAIN: Intent = {
  proxyPorts: [443],
  adminPorts: [],
  allow: { v4: [], v6: [] },
  perSource: 100,
  rate: { count: 25, per: 'minute', burst: 100 },
};
const FULL: Intent = {
  proxyPorts: [443, 8443],
  adminPorts: [3001, 8888],
  allow: tidyNetworks([
    '10.0.0.9/9',
    '10.128.0.0/9',
    '10.3.0.0/16',
    '198.51.100.7',
    '2001:DB8:0::/48',
    '2001:db8:5::1',
  ]),
  perSource: 10,
  rate: { count: 3, per: 'second', burst: 7 },
};
const BARE: Intent = { ...PLAIN, perSource: null, rate: null };
const INTENTS = { plain: PLAIN, full: FULL, bare: BARE };

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-wall-'));
});
afterAll(async () => rm(dir, { recursive: true }));

describe.each(Object.entries(INTENTS))('templates, %s', (name, intent) => {
  it('are as recorded', async () => {
    await expect(await renderNft(intent)).toMatchFileSnapshot(`golden/firewall.nft.${name}.txt`);
    for (const family of [4, 6] as const) {
      await expect(await renderIptables(intent, family)).toMatchFileSnapshot(`golden/firewall.v${family}.${name}.txt`);
    }
  });

  it.skipIf(!hostsArePossible || !has('nft'))('nft takes them, twice, and shows what they say', async () => {
    const file = path.join(dir, `${name}.nft`);
    const text = await renderNft(intent);
    await writeFile(file, text);
    const load = `nft -f ${file} && nft -f ${file} && nft -j -t list table inet mtp`;
    const listed = execFileSync('unshare', ['-n', 'sh', '-c', load], { encoding: 'utf8' });
    expect(linesOfListing(JSON.parse(listed) as NftListing)).toEqual(linesOfFile(text));
  });

  it.skipIf(!hostsArePossible || !has('iptables-legacy'))(
    'both variants of iptables take them, and show what they say',
    async () => {
      for (const variant of ['nft', 'legacy']) {
        for (const [family, program] of [
          [4, 'iptables'],
          [6, 'ip6tables'],
        ] as const) {
          const file = path.join(dir, `${name}.v${family}`);
          const text = await renderIptables(intent, family);
          await writeFile(file, text);
          const load = `${program}-${variant}-restore --noflush ${file} && ${program}-${variant}-save -t mangle`;
          const saved = execFileSync('unshare', ['-n', 'sh', '-c', load], { encoding: 'utf8' });
          const rules = (one: string): string[] => one.split('\n').filter((line) => line.startsWith('-A MTP-'));
          expect(rules(saved)).toEqual(rules(text));
        }
      }
    },
  );
});

it('the other files are as recorded', async () => {
  await expect(await renderUnit('/var/lib/mtp-firewall/boot/load.sh')).toMatchFileSnapshot(
    'golden/mtp-firewall.service.txt',
  );
  await expect(await renderProfile([443])).toMatchFileSnapshot('golden/ufw-application.txt');
  const script = { files: {}, lines: ['nft -f before.nft', `printf '%s' "it's"`] };
  await prepareChange(dir, '0123abcd', { apply: script, restore: script, boot: script });
  const read = (name: string): string =>
    readFileSync(path.join(dir, 'change-0123abcd', name), 'utf8').replaceAll(dir, '/var/lib/mtp-firewall');
  await expect(read('rollback.sh')).toMatchFileSnapshot('golden/rollback.sh.txt');
  await expect(read('boot/load.sh')).toMatchFileSnapshot('golden/load.sh.txt');
  for (const name of ['rollback.sh', 'apply.sh', 'boot/load.sh']) {
    expect(spawnSync('sh', ['-n', path.join(dir, 'change-0123abcd', name)]).status).toBe(0);
  }
});

it.skipIf(!has('systemd-analyze'))('systemd takes the unit', async () => {
  const file = path.join(dir, 'mtp-firewall.service');
  await writeFile(file, await renderUnit(path.join(dir, 'a b/load.sh')));
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', '--recursive-errors=yes', file], {
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
});

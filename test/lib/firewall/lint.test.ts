import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkRules } from '../../../src/lib/firewall/lint/check.ts';
import { FAULTS } from '../../../src/lib/firewall/lint/finding.ts';
import type { LintResult } from '../../../src/lib/firewall/lint/lint.ts';
import { readRecipe } from '../../../src/lib/firewall/lint/recipe.ts';
import { killMarked } from '../../support/left-over.ts';
import { has, hostsArePossible, twoHosts } from '../../support/two-hosts.ts';

/** Faults of a recipe as `id:line`. */
function faults(recipe: string, sshPorts = [22]): string[] {
  return checkRules(readRecipe(recipe, sshPorts)).map(({ id, line }) => `${id}${line === null ? '' : `:${line}`}`);
}

/** As guides on the web have it. */
const THREE_RULES = `# Firewall
sudo iptables -A INPUT -p tcp --dport 8443 -j ACCEPT
sudo iptables -A INPUT -p tcp --dport 3001 -s 127.0.0.1 -j ACCEPT
sudo iptables -A INPUT -j DROP
`;
const GLOBAL_LIMIT = `sudo iptables -A INPUT -p tcp --dport 8443 -j ACCEPT
sudo iptables -A INPUT -p tcp --dport 8443 -m limit --limit 25/minute --limit-burst 100 -j ACCEPT
`;
const RIGHT = ['iptables', 'ip6tables']
  .map(
    (program) => `${program} -A INPUT -i lo -j ACCEPT
${program} -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
${program} -A INPUT -p tcp --dport 22 -j ACCEPT
${program} -A INPUT -p tcp --dport 443 -m hashlimit --hashlimit-above 25/minute --hashlimit-burst 100 \\
  --hashlimit-mode srcip --hashlimit-name proxy -j DROP
${program} -A INPUT -p tcp --dport 443 -j ACCEPT
${program} -A INPUT -j DROP`,
  )
  .join('\n')
  .concat('\nnetfilter-persistent save\n');

describe('a recipe', () => {
  it('of three rules locks out SSH, and four things more', () => {
    expect(faults(THREE_RULES)).toEqual([
      'ssh-cut:4',
      'no-established:4',
      'loopback-cut:4',
      'ipv6-untouched',
      'not-persistent',
    ]);
  });

  it('that counts all sources together, behind what accepts them', () => {
    expect(faults(GLOBAL_LIMIT)).toEqual(['behind-accept:2', 'global-limit:2', 'not-persistent']);
    expect(faults(GLOBAL_LIMIT.split('\n')[1] ?? '')).toEqual([
      'global-limit:1',
      'limit-without-drop:1',
      'not-persistent',
    ]);
  });

  it('that is right has no fault', () => {
    expect(faults(RIGHT)).toEqual([]);
  });

  it.each<[string, string, string[]]>([
    ['SSH on another port', RIGHT, ['ssh-cut:7', 'ssh-cut:14']],
    [
      'a policy',
      'iptables -P INPUT DROP',
      ['ssh-cut', 'no-established', 'loopback-cut', 'ipv6-untouched', 'not-persistent'],
    ],
    ['a rule behind the refusal', `${RIGHT}iptables -A INPUT -p tcp --dport 80 -j ACCEPT`, ['behind-drop:16']],
    ['what is inserted comes first', `${RIGHT}iptables -I INPUT -p tcp --dport 80 -j ACCEPT`, []],
    [
      'saved by a shell without rights',
      RIGHT.replace('netfilter-persistent save', 'sudo iptables-save > /etc/iptables/rules.v4'),
      ['not-persistent', 'not-persistent', 'redirect-not-root:15'],
    ],
    ['ufw with SSH', 'ufw default deny incoming\nufw allow ssh\nufw allow 443/tcp\nufw --force enable', []],
    ['ufw without', 'ufw allow 443/tcp && ufw enable', ['ssh-cut']],
    ['ufw that is never turned on', 'ufw allow 443/tcp', []],
    ['ufw limit', 'ufw limit 22/tcp; ufw enable', []],
    ['ufw, a denial too late', 'ufw allow 22,8888/tcp; ufw deny 8888/tcp; ufw enable', ['behind-accept:1']],
    [
      'docker beside ufw',
      'ufw allow ssh\nufw deny 8888\nufw enable\ndocker run -d -p 8888:80 x',
      ['docker-past-ufw:4'],
    ],
    ['docker on loopback', 'ufw allow ssh\nufw enable\ndocker run -d -p 127.0.0.1:8888:80 x', []],
    [
      'commands of nft',
      `nft add table inet f
nft add chain inet f input '{ type filter hook input priority 0; policy drop; }'
nft add rule inet f input iif lo accept
nft add rule inet f input tcp dport { 22, 443 } limit rate 25/minute accept`,
      ['no-established', 'global-limit:4', 'not-persistent'],
    ],
    [
      'a file of nftables',
      `flush ruleset
table ip filter {
  set bad { type ipv4_addr
  }
  chain input {
    type filter hook input priority 0; policy drop;
    iifname "lo" accept
    ct state established,related accept
    tcp dport { 22, 443 } accept
    tcp dport 443 meter m { ip saddr limit rate over 25/minute } drop
  }
}`,
      ['ipv6-untouched', 'behind-accept:10'],
    ],
  ])('%s', (name, recipe, expected) => {
    expect(faults(recipe, name === 'SSH on another port' ? [2222] : [22]).toSorted()).toEqual(expected.toSorted());
  });

  it('of anything at all is read without a failure', () => {
    const word = fc.constantFrom(
      'iptables',
      'sudo',
      '-A',
      'INPUT',
      '-j',
      'DROP',
      'nft',
      'add',
      'rule',
      'ufw',
      'allow',
      '{',
      '}',
      '"',
      ';',
      '\n',
      '\\\n',
      'table',
      '-p',
      '-I',
      '!',
      '--dport',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string()), { maxLength: 30 }), (words) => {
        for (const { id } of checkRules(readRecipe(words.join(' '), [22]))) expect(FAULTS).toHaveProperty(id);
      }),
    );
  });
});

describe.skipIf(!hostsArePossible || !has('nft', 'iptables'))('rules in force', { timeout: 60_000 }, () => {
  it.each<[string, string, string[]]>([
    ['none', ':', []],
    [
      'a recipe that was run',
      THREE_RULES.replaceAll('sudo ', ''),
      ['ssh-cut', 'no-established', 'loopback-cut', 'ipv6-untouched', 'not-persistent'],
    ],
    ['a limit for all', GLOBAL_LIMIT.replaceAll('sudo ', ''), ['behind-accept', 'global-limit', 'not-persistent']],
    [
      'nftables',
      `nft -f - <<'EOF'
table inet f {
  chain input {
    type filter hook input priority 0; policy drop;
    iif lo accept
    tcp dport { 80, 443 } accept
  }
}
EOF`,
      ['ssh-cut', 'no-established', 'not-persistent'],
    ],
  ])('%s', async (_, rules, expected) => {
    const home = await mkdtemp(path.join(os.tmpdir(), 'mtp-wall-'));
    const hosts = await twoHosts(home);
    try {
      hosts.server(rules);
      const { status, stdout } = await hosts.mtp('firewall', 'lint', '--json', '--prefix', home);
      const { findings } = JSON.parse(stdout) as LintResult;
      expect(findings.map(({ id }) => id).toSorted()).toEqual(expected.toSorted());
      expect(status).toBe(expected.length === 0 ? 0 : 3);
    } finally {
      await hosts.close();
      await killMarked(home);
      await rm(home, { recursive: true });
    }
  });
});

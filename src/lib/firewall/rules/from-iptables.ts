import type { PacketRule, PortRange, RuleChain, Verdict } from './rule.ts';

const HOOKS: Record<string, RuleChain['hook']> = { INPUT: 'input', FORWARD: 'forward', OUTPUT: 'output' };
const VERDICTS: Record<string, Verdict> = { ACCEPT: 'accept', DROP: 'drop', REJECT: 'reject', RETURN: 'return' };
const SERVICES: Record<string, number> = { ssh: 22, http: 80, https: 443 };

/** The chains of one family, by the filter table of `iptables-save`. */
export function chainsOfSave(text: string, family: 4 | 6): RuleChain[] {
  const chains: RuleChain[] = [];
  let table = '';
  for (const line of text.split('\n')) {
    const [, named] = /^\*(\w+)/.exec(line) ?? [];
    if (named !== undefined) table = named;
    if (table !== 'filter') continue;
    const [, chain, policy] = /^:(\S+) (\S+)/.exec(line) ?? [];
    if (chain !== undefined) chains.push(emptyChain(chain, family, policy === 'DROP' ? 'drop' : 'accept'));
    const [, to, words] = /^-A (\S+) (.*)$/.exec(line) ?? [];
    const target = chains.find(({ name }) => name === to);
    if (words !== undefined) target?.rules.push(iptablesRule(splitWords(words), line));
  }
  return chains;
}

export function emptyChain(name: string, family: 4 | 6, policy: RuleChain['policy'] = 'accept'): RuleChain {
  const hook = HOOKS[name];
  return {
    families: [family],
    table: 'filter',
    name,
    ...(hook === undefined ? {} : { hook }),
    priority: 0,
    policy,
    rules: [],
  };
}

/** Words of a command line, quotes taken away. */
export function splitWords(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|[^\s"']+/g)].map(
    ([whole, double, single]) => double ?? single ?? whole,
  );
}

/** Options that say nothing about which packets match; those with a value. */
const SILENT = new Set([
  '--reject-with',
  '--log-prefix',
  '--log-level',
  '--hashlimit-name',
  '--hashlimit-burst',
  '--limit-burst',
]);

/** A rule by its words behind `-A CHAIN`. */
export function iptablesRule(words: readonly string[], text: string): PacketRule {
  const rule: PacketRule = { isNarrow: false, verdict: 'none', text };
  let not = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const value = (): string => {
      if (words[at + 1] === '!') [not, at] = [true, at + 1];
      return words[++at] ?? '';
    };
    if (word === '!') {
      not = true;
      continue;
    }
    switch (word) {
      case '-p':
      case '--protocol':
        rule.protocol = value().toLowerCase();
        if (rule.protocol === 'all') delete rule.protocol;
        break;
      case '--dport':
      case '--destination-port':
      case '--dports':
      case '--destination-ports': {
        const ranges = value().split(',').map(rangeOf);
        rule.ports = { ranges, not };
        break;
      }
      case '-i':
      case '--in-interface':
        rule.iface = { name: value(), not };
        break;
      case '-s':
      case '--source':
      case '--src': {
        const block = value();
        if (!/^(0\.0\.0\.0|::)\/0$/.test(block)) rule.source = { block, not };
        break;
      }
      case '--state':
      case '--ctstate':
        rule.states = value().toLowerCase().split(',');
        break;
      case '--limit':
        value();
        rule.limit = 'all';
        break;
      case '--hashlimit-mode':
        rule.limit = value().split(',').includes('srcip') ? 'each' : 'all';
        break;
      case '--connlimit-above':
      case '--connlimit-upto':
        value();
        rule.limit ??= 'each';
        break;
      case '--connlimit-mask':
        if (value() === '0') rule.limit = 'all';
        break;
      case '-m':
      case '--match':
        if (['recent', 'set', 'string', 'owner', 'mac', 'geoip'].includes(value())) rule.isNarrow = true;
        break;
      case '--comment':
        rule.comment = value();
        break;
      case '-j':
      case '-g':
      case '--jump':
      case '--goto': {
        const target = value();
        rule.verdict = VERDICTS[target] ?? (target === 'LOG' ? 'none' : { jump: target });
        break;
      }
      case '-d':
      case '-o':
      case '--sport':
      case '--sports':
      case '--tcp-flags':
        // The SYN of a connection is part of every new one.
        value();
        if (word === '--tcp-flags') at++;
        else if (word !== '-d' || not) rule.isNarrow = true;
        break;
      default:
        if (SILENT.has(word)) value();
    }
    not = false;
  }
  return rule;
}

function rangeOf(text: string): PortRange {
  const [from = '', to = from] = text.split(':');
  return { from: SERVICES[from] ?? Number(from), to: SERVICES[to] ?? Number(to) };
}

import type { PacketRule, PortRange, RuleChain, Verdict } from '../rules/rule.ts';

const HOOKS: Record<string, RuleChain['hook']> = { input: 'input', forward: 'forward', output: 'output' };
const NAMES: Record<string, number> = { ssh: 22, http: 80, https: 443 };

/** The chains of a file as nft loads it. */
export function readNftFile(text: string): RuleChain[] {
  const chains: RuleChain[] = [];
  let [table, inSet] = ['', 0];
  let chain: RuleChain | undefined;
  for (const [at, raw] of text.split('\n').entries()) {
    const source = raw.replace(/(^|\s)#.*$/, '').trim();
    const [, family = '', name = ''] = /^table (?:(inet|ip|ip6) )?([\w-]+) \{/.exec(source) ?? [];
    const [, chainName] = /^chain ([\w-]+) \{/.exec(source) ?? [];
    if (name !== '') table = `${family === '' ? 'ip' : family} ${name}`;
    else if (/^(set|map|counter|limit|flowtable|define) /.test(source) && source.includes('{') && !source.includes('}'))
      inSet++;
    else if (source.startsWith('}') && inSet > 0) inSet--;
    else if (inSet > 0) continue;
    else if (chainName !== undefined) chains.push((chain = newChain(table, chainName)));
    else if (/^type \w+ hook /.test(source)) setHook(chain, source);
    else if (source === '}') chain = undefined;
    else if (chain !== undefined && source !== '')
      chain.rules.push({ ...nftRule(wordsOf(source), source), line: at + 1 });
  }
  return chains;
}

/** Take one command line of nft over: tables, chains and rules that are added. */
export function addNftCommand(chains: RuleChain[], words: string[], source: string, line: number): void {
  const [verb = '', object = '', ...rest] = wordsOf(words.join(' '));
  if (!['add', 'insert', 'create', 'flush'].includes(verb)) return;
  const family = ['inet', 'ip', 'ip6'].includes(rest[0] ?? '') ? (rest.shift() ?? 'ip') : 'ip';
  const [table = '', name = '', ...body] = rest;

  if (object === 'chain') {
    const chain = newChain(`${family} ${table}`, name);
    setHook(chain, source);
    chains.push(chain);
  } else if (object === 'rule') {
    const chain = chains.find((one) => one.table === `${family} ${table}` && one.name === name);
    const rule = { ...nftRule(body, source), line };
    if (verb === 'insert') chain?.rules.unshift(rule);
    else chain?.rules.push(rule);
  }
}

function newChain(table: string, name: string): RuleChain {
  const family = table.split(' ')[0];
  return {
    families: family === 'ip' ? [4] : family === 'ip6' ? [6] : [4, 6],
    table,
    name,
    policy: 'accept',
    rules: [],
  };
}

function setHook(chain: RuleChain | undefined, text: string): void {
  const [, hook] = /\bhook (\w+)/.exec(text) ?? [];
  if (chain === undefined || hook === undefined) return;
  chain.hook = HOOKS[hook] ?? 'other';
  chain.priority = Number(/\bpriority (-?\d+)/.exec(text)?.[1] ?? 0);
  if (/\bpolicy drop\b/.test(text)) chain.policy = 'drop';
}

/** Braces hold one word, as a set does. */
function wordsOf(text: string): string[] {
  return text.replace(/\{\s*([^{}]*?)\s*\}/g, (_, inner: string) => `{${inner.replace(/\s+/g, '')}}`).split(/\s+/);
}

/** A rule by its words. */
export function nftRule(words: readonly string[], text: string): PacketRule {
  const rule: PacketRule = { isNarrow: false, verdict: 'none', text };
  for (let at = 0; at < words.length; at++) {
    const [word = '', next = '', third = ''] = words.slice(at, at + 3);
    const two = `${word} ${next}`;
    const not = third === '!=';
    const value = (not ? words[at + 3] : third) ?? '';
    const skip = not ? 3 : 2;
    if (/^(tcp|udp|th) dport$/.test(two)) {
      if (word !== 'th') rule.protocol = word;
      rule.ports = { ranges: partsOf(value).map(rangeOf), not };
      at += skip;
    } else if (/^ip6? saddr$/.test(two)) {
      if (value.startsWith('{') || value.startsWith('@')) rule.isNarrow = true;
      else rule.source = { block: value, not };
      at += skip;
    } else if (two === 'ct state') {
      rule.states = partsOf(value);
      at += skip;
    } else if (two === 'ct count') {
      rule.limit ??= 'all';
      at += 2;
    } else if (word === 'limit') rule.limit ??= 'all';
    else if (/^(meter|add|update)$/.test(word) && text.includes('{')) {
      // What stands in the braces is counted for each element.
      rule.limit = 'each';
      while (at + 1 < words.length && !(words[at] ?? '').includes('}')) at++;
    } else if (/^iif(name)?$/.test(word)) {
      rule.iface = { name: next.replaceAll('"', ''), not: false };
      at++;
    } else if (two === 'meta l4proto' || two === 'ip protocol' || two === 'ip6 nexthdr') {
      rule.protocol = partsOf(value)[0] ?? value;
      at += skip;
    } else if (/^(icmp|icmpv6)$/.test(word)) rule.protocol = word;
    else if (['accept', 'drop', 'reject', 'return'].includes(word)) {
      rule.verdict = word as Verdict;
    } else if (word === 'jump' || word === 'goto') {
      rule.verdict = { jump: next };
      at++;
    } else if (/^(fib|meta|socket|ether|tcp|udp|ip|ip6)$/.test(word)) rule.isNarrow = true;
  }
  return rule;
}

function partsOf(value: string): string[] {
  return value.replace(/^\{|\}$/g, '').split(',');
}

function rangeOf(text: string): PortRange {
  const [from = '', to = from] = text.split('-');
  return { from: NAMES[from] ?? Number(from), to: NAMES[to] ?? Number(to) };
}

import { emptyChain, iptablesRule, splitWords } from '../rules/from-iptables.ts';
import type { RuleChain } from '../rules/rule.ts';
import type { RuleSet } from './check.ts';
import { finding } from './finding.ts';
import { addNftCommand, readNftFile } from './nft-text.ts';
import { newUfw, type Ufw, ufwChain, ufwCommand } from './ufw-words.ts';

interface Reading {
  chains: RuleChain[];
  ufw: Ufw;
  published: RuleSet['published'];
  findings: RuleSet['findings'];
  /** Families whose rules of iptables are saved by the recipe, and whether nftables' are. */
  saved: Set<string>;
}

/** What a recipe of shell lines, or a file of nftables, would make of a machine without rules. */
export function readRecipe(text: string, sshPorts: number[]): RuleSet {
  const reading: Reading = {
    chains: [4, 6].flatMap((family) => ['INPUT', 'FORWARD', 'OUTPUT'].map((name) => emptyChain(name, family as 4 | 6))),
    ufw: newUfw(),
    published: [],
    findings: [],
    saved: new Set(),
  };
  if (/^\s*(flush ruleset|table (inet|ip|ip6) \w+ \{|#!\S*nft )/m.test(text)) {
    reading.chains.push(...readNftFile(text));
    // A file of its own is what nftables.service loads.
    reading.saved.add('nft');
  } else {
    for (const { words, line, source } of commandsIn(text)) takeCommand(reading, words, source, line);
  }
  const chains = reading.chains.filter(
    ({ rules, policy, hook }) => hook === undefined || rules.length > 0 || policy === 'drop',
  );
  const fleeting = [
    ...(uses(chains, 4, 'filter') && !reading.saved.has('4') ? ['rules of iptables'] : []),
    ...(uses(chains, 6, 'filter') && !reading.saved.has('6') ? ['rules of ip6tables'] : []),
    ...(chains.some(({ table }) => table.includes(' ')) && !reading.saved.has('nft') ? ['rules of nft'] : []),
  ];
  return {
    chains: [...chains, ...(reading.ufw.isOn ? [ufwChain(reading.ufw)] : [])],
    sshPorts,
    published: reading.published,
    fleeting,
    findings: reading.findings,
  };
}

function uses(chains: RuleChain[], family: 4 | 6, table: string): boolean {
  return chains.some((chain) => chain.table === table && chain.families.includes(family));
}

interface Command {
  words: string[];
  source: string;
  line: number;
}

/** Lines of a shell, continued ones joined; comments and prompts taken away. */
function commandsIn(text: string): Command[] {
  const commands: Command[] = [];
  let [open, from] = ['', 0];
  for (const [at, raw] of text.split('\n').entries()) {
    if (open === '') from = at + 1;
    const joined = `${open}${raw}`;
    if (joined.endsWith('\\')) {
      open = `${joined.slice(0, -1)} `;
      continue;
    }
    open = '';
    const source = joined.trim().replace(/^[$#] (?=\S)/, '');
    for (const part of source.split(/\s*(?:&&|;(?![^{]*\}))\s*/)) {
      const words = splitWords(part.replace(/(^|\s)#.*$/, ''));
      if (words.length > 0) commands.push({ words, source: part, line: from });
    }
  }
  return commands;
}

function takeCommand(reading: Reading, all: string[], source: string, line: number): void {
  const isSudo = all[0] === 'sudo';
  const [program = '', ...words] = isSudo ? all.slice(1) : all;
  const name = program.replace(/^.*\//, '').replace(/-(nft|legacy)(?=$|-)/, '');
  switch (name) {
    case 'iptables':
    case 'ip6tables':
      takeIptables(reading, name === 'iptables' ? 4 : 6, words, source, line);
      break;
    case 'iptables-save':
    case 'ip6tables-save': {
      const at = words.indexOf('>');
      const file = at === -1 ? undefined : words[at + 1];
      if (file !== undefined && isSudo) reading.findings.push(finding('redirect-not-root', source, line));
      else if (file !== undefined && /^\/etc\//.test(file)) reading.saved.add(name === 'iptables-save' ? '4' : '6');
      break;
    }
    case 'netfilter-persistent':
    case 'iptables-persistent':
      if (words.includes('save')) for (const family of ['4', '6']) reading.saved.add(family);
      break;
    case 'nft':
      if (words.includes('list') && /\/etc\/nftables/.test(source)) reading.saved.add('nft');
      else addNftCommand(reading.chains, words, source, line);
      break;
    case 'ufw':
      ufwCommand(reading.ufw, words, source, line);
      break;
    case 'docker':
      takeDocker(reading, words, line);
  }
}

function takeIptables(reading: Reading, family: 4 | 6, given: string[], source: string, line: number): void {
  const words = given.filter((word) => word !== '-w' && word !== '--wait');
  const table = words.findIndex((word) => word === '-t' || word === '--table');
  if (table !== -1 && words[table + 1] !== 'filter') return;
  if (table !== -1) words.splice(table, 2);
  const [action = '', name = '', ...rest] = words;
  const chains = reading.chains.filter(({ table: of, families }) => of === 'filter' && families.includes(family));
  const chain = chains.find((one) => one.name === name);
  switch (action.replace(/^--(append|insert|policy|flush|new-chain)$/, (long) => `-${long[2]?.toUpperCase() ?? ''}`)) {
    case '-N':
      reading.chains.push(emptyChain(name, family));
      break;
    case '-P':
      if (chain !== undefined) chain.policy = rest[0] === 'ACCEPT' ? 'accept' : 'drop';
      break;
    case '-F':
      for (const one of chain === undefined ? chains : [chain]) one.rules = [];
      break;
    case '-A':
      chain?.rules.push({ ...iptablesRule(rest, source), line });
      break;
    case '-I': {
      const isNumber = /^\d+$/.test(rest[0] ?? '');
      const at = isNumber ? Number(rest[0]) - 1 : 0;
      chain?.rules.splice(at, 0, { ...iptablesRule(isNumber ? rest.slice(1) : rest, source), line });
    }
  }
}

function takeDocker(reading: Reading, words: string[], line: number): void {
  for (const [at, word] of words.entries()) {
    const value = /^(-p|--publish)$/.test(word) ? words[at + 1] : /^(?:-p|--publish=)(\d.*)$/.exec(word)?.[1];
    // ADDRESS:PORT:PORT, and none for PORT alone, which gets one by chance.
    const [, address, port] = /^(?:(.+):)?(\d+):\d+(?:\/tcp)?$/.exec(value ?? '') ?? [];
    const isLocal = address !== undefined && /^(127\.|\[?::1)/.test(address);
    if (port !== undefined && !isLocal) reading.published.push({ port: Number(port), line });
  }
}

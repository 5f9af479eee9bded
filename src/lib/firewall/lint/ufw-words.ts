import type { PacketRule, PortRange, RuleChain, Verdict } from '../rules/rule.ts';

/** What commands of ufw have made so far. */
export interface Ufw {
  isOn: boolean;
  policy: RuleChain['policy'];
  rules: PacketRule[];
}

const NAMES: Record<string, number> = { ssh: 22, openssh: 22, http: 80, https: 443 };

export function newUfw(): Ufw {
  return { isOn: false, policy: 'drop', rules: [] };
}

/** Take one command of ufw over. */
export function ufwCommand(ufw: Ufw, words: string[], text: string, line: number): void {
  const [verb = '', ...rest] = words.filter((word) => !word.startsWith('--'));
  switch (verb) {
    case 'enable':
      ufw.isOn = true;
      break;
    case 'disable':
    case 'reset':
      Object.assign(ufw, newUfw());
      break;
    case 'default':
      if (rest[1] === undefined || rest[1] === 'incoming') ufw.policy = rest[0] === 'allow' ? 'accept' : 'drop';
      break;
    case 'allow':
    case 'deny':
    case 'reject':
    case 'limit':
      if (!rest.includes('out')) ufw.rules.push(ufwRule(verb, rest, text, line));
      break;
    case 'insert': {
      const [at = '1', action = '', ...more] = rest;
      ufw.rules.splice(Number(at) - 1, 0, ufwRule(action, more, text, line));
    }
  }
}

function ufwRule(action: string, words: string[], text: string, line: number): PacketRule {
  const verdicts: Record<string, Verdict> = { allow: 'accept', limit: 'accept', deny: 'drop', reject: 'reject' };
  const after = (word: string): string | undefined => {
    const at = words.indexOf(word);
    return at === -1 ? undefined : words[at + 1];
  };
  const to = words.indexOf('to');
  const spec = to === -1 ? (words.find((word) => !['in', 'from', 'proto', 'comment'].includes(word)) ?? '') : '';
  const port = after('port') ?? (after('from') === undefined ? spec : '');
  const [name = '', protocol = after('proto')] = port.split('/');
  const ranges = name
    .split(',')
    .map(rangeOf)
    .filter((range) => range !== undefined);
  const from = after('from');
  const rule: PacketRule = { isNarrow: false, verdict: verdicts[action] ?? 'none', text, line };
  if (protocol !== undefined) rule.protocol = protocol;
  if (ranges.length > 0) rule.ports = { ranges, not: false };
  if (from !== undefined && from !== 'any') rule.source = { block: from, not: false };
  if (action === 'limit') rule.limit = 'each';
  return rule;
}

function rangeOf(text: string): PortRange | undefined {
  const [from = '', to = from] = text.split(':');
  const [first, last] = [from, to].map((part) => NAMES[part.toLowerCase()] ?? Number(part));
  return first !== undefined && last !== undefined && first > 0 ? { from: first, to: last } : undefined;
}

/** What ufw makes of its rules: it lets lo and answers in by itself, and refuses what is over a limit. */
export function ufwChain({ rules, policy }: Ufw): RuleChain {
  const own = (rule: Partial<PacketRule>): PacketRule => ({ isNarrow: false, verdict: 'accept', text: 'ufw', ...rule });
  return {
    families: [4, 6],
    table: 'ufw',
    name: 'input',
    hook: 'input',
    priority: 0,
    policy,
    rules: [
      own({ iface: { name: 'lo', not: false } }),
      own({ states: ['established', 'related'] }),
      ...rules.flatMap((rule) => (rule.limit === undefined ? [rule] : [rule, refusalBehind(rule)])),
    ],
  };
}

function refusalBehind({ protocol, ports, source, text, line }: PacketRule): PacketRule {
  return {
    isNarrow: false,
    verdict: 'reject',
    text,
    ...(line === undefined ? {} : { line }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(ports === undefined ? {} : { ports }),
    ...(source === undefined ? {} : { source }),
  };
}

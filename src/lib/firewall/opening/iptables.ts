import type { Iptables } from '../../host/firewall.ts';
import type { Exec } from '../../system/exec.ts';
import { fateOf } from '../rules/fate.ts';
import { chainsOfSave } from '../rules/from-iptables.ts';
import type { RuleChain } from '../rules/rule.ts';
import { joinScripts, type Script } from '../script.ts';
import { refusesAll } from './nft.ts';
import { markOf, NOTHING, type Opening } from './opening.ts';

/** The opening in the chain INPUT of both families; none where nothing is closed there. */
export async function iptablesOpenings(exec: Exec, programs: Iptables, ports: readonly number[]): Promise<Opening[]> {
  const families = await Promise.all(
    ([4, 6] as const).map(async (family) => {
      const program = family === 4 ? programs.v4 : programs.v6;
      if (program === null) return undefined;
      const saved = await exec(`${program}-save`, ['-t', 'filter']);
      return openingIn(chainsOfSave(saved.stdout, family), program, family, ports);
    }),
  );
  const needed = families.filter((one) => one !== undefined);
  if (needed.length === 0) return [];
  const all = (pick: (one: Parts) => Script): Script => joinScripts(needed.map(pick));
  return [
    {
      manager: 'iptables',
      where: `chain INPUT of ${programs.v4}`,
      isOpen: needed.every(({ isOpen }) => isOpen),
      isMarked: needed.some(({ isMarked }) => isMarked),
      steps: needed.flatMap(({ steps }) => steps),
      put: all(({ put }) => put),
      restore: all(({ restore }) => restore),
      boot: all(({ boot }) => boot),
      close: all(({ close }) => close),
    },
  ];
}

type Parts = Omit<Opening, 'manager' | 'where'>;

function openingIn(chains: RuleChain[], program: string, family: 4 | 6, ports: readonly number[]): Parts | undefined {
  const input = chains.find(({ hook }) => hook === 'input');
  if (input === undefined) return undefined;
  const closed = ports.filter((port) => isClosed(chains, family, port));
  const marked = input.rules.flatMap(({ comment }) => {
    const [, port] = /^mtp:(\d+)$/.exec(comment ?? '') ?? [];
    return port === undefined ? [] : [Number(port)];
  });
  if (closed.length === 0 && marked.length === 0) return undefined;
  const stale = marked.filter((port) => !ports.includes(port));
  const rule = (port: number): string => `-p tcp --dport ${port} -m comment --comment ${markOf(port)} -j ACCEPT`;
  // As it is when the machine starts: without rules of ours.
  const at = input.rules.filter(({ comment }) => comment?.startsWith('mtp:') !== true).findIndex(refusesAll) + 1;
  const add = (port: number): string =>
    `${program} -w -C INPUT ${rule(port)} 2>/dev/null || ${program} -w ${at === 0 ? '-A INPUT' : `-I INPUT ${at}`} ${rule(port)} || ${program} -w -I INPUT ${rule(port)}`;
  const remove = (port: number): string => `while ${program} -w -D INPUT ${rule(port)} 2>/dev/null; do :; done`;
  const script = (lines: string[]): Script => (lines.length === 0 ? NOTHING : { files: {}, lines });
  return {
    isOpen: closed.length === 0 && stale.length === 0,
    isMarked: marked.length > 0,
    steps: [
      ...closed.map((port) => `${program}: let tcp ${port} in, in chain INPUT`),
      ...stale.map((port) => `${program}: take the opening for ${port} away from chain INPUT`),
    ],
    put: script([...stale.map(remove), ...closed.map(add)]),
    restore: script([...closed.filter((port) => !marked.includes(port)).map(remove), ...stale.map(add)]),
    boot: script([...closed, ...marked.filter((port) => ports.includes(port))].map(add)),
    close: script(marked.map(remove)),
  };
}

function isClosed(chains: RuleChain[], family: 4 | 6, port: number): boolean {
  return fateOf(chains, 'input', { family, iface: 'outside', port, state: 'new' }).verdict === 'drop';
}

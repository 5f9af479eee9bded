import { readFile } from 'node:fs/promises';
import type { Iptables } from '../../host/firewall.ts';
import { MtpError } from '../../errors.ts';
import { type Exec, lastWords } from '../../system/exec.ts';
import { packageUrl } from '../../system/module-url.ts';
import { renderTemplate } from '../../template/render.ts';
import type { Drops, Guard } from '../guard.ts';
import { type Intent, rateMemory } from '../intent.ts';
import type { Script } from '../script.ts';

/** Before destinations are translated, so that published ports of containers are seen, too. */
const JUMP = '! -i lo -p tcp -m addrtype --dst-type LOCAL -j MTP-IN';
const CHAINS = ['MTP-IN', 'MTP-PROXY', 'MTP-ADMIN'];
type Family = 4 | 6;
const UNITS = { second: 'sec', minute: 'min', hour: 'hour' } as const;

/** Chains of our own in both families of iptables. */
export function iptablesGuard(exec: Exec, programs: Iptables): Guard {
  const families: Family[] = programs.v6 === null ? [4] : [4, 6];
  const program = (family: Family): string => (family === 4 ? programs.v4 : (programs.v6 ?? ''));
  const save = async (family: Family, ...options: string[]): Promise<string[]> => {
    const ran = await exec(`${program(family)}-save`, [...options, '-t', 'mangle']);
    if (ran.status === 0) return ran.stdout.split('\n').filter((line) => isOurs(line));
    throw new MtpError('IPTABLES_FAILED', `${program(family)}-save failed: ${lastWords(ran)}`);
  };
  const both = async (lines: (family: Family) => Promise<string[]>): Promise<string[]> => {
    const found = await Promise.all(families.map(async (family) => withFamily(family, await lines(family))));
    return found.flat();
  };
  const put = async (intent: Intent, prefix: string): Promise<Script> => {
    const names = families.map((family) => `${prefix}.v${family}`);
    const texts = await Promise.all(families.map(async (family) => renderIptables(intent, family)));
    return {
      files: Object.fromEntries(names.map((name, at) => [name, texts[at] ?? ''])),
      lines: families.flatMap((family, at) => load(program(family), names[at] ?? '')),
    };
  };
  return {
    kind: 'iptables',
    name: `iptables-${programs.variant}`,
    read: async () => both(async (family) => chainLines(await save(family))),
    wanted: async (intent) =>
      both(async (family) =>
        chainLines([`-A PREROUTING ${JUMP}`, ...(await renderIptables(intent, family)).split('\n').filter(isOurs)]),
      ),
    put: async (intent) => put(intent, 'after'),
    boot: async (intent) => put(intent, 'rules'),
    restore: async () => {
      const parts = await Promise.all(
        families.map(async (family): Promise<Script> => {
          const now = await save(family);
          if (!now.some((line) => line.startsWith(':'))) return { files: {}, lines: clear(program(family)) };
          const name = `before.v${family}`;
          const own = now.filter((line) => !line.startsWith('-A PREROUTING'));
          const text = ['*mangle', ...own, 'COMMIT', ''].join('\n');
          return { files: { [name]: text }, lines: load(program(family), name) };
        }),
      );
      return {
        files: Object.assign({}, ...parts.map(({ files }) => files)) as Script['files'],
        lines: parts.flatMap(({ lines }) => lines),
      };
    },
    clear: { files: {}, lines: families.flatMap((family) => clear(program(family))) },
    drops: async () => {
      const counted = await Promise.all(families.map(async (family) => save(family, '-c')));
      return dropsIn(counted.flat());
    },
    trust: () => [],
  };
}

export async function renderIptables(intent: Intent, family: Family): Promise<string> {
  const { proxyPorts, adminPorts, allow, perSource, rate } = intent;
  const sources = (family === 4 ? allow.v4 : allow.v6).map((block) =>
    block.includes('/') ? block : `${block}/${family === 4 ? 32 : 128}`,
  );
  const returns = (chain: string): string | null =>
    sources.length === 0 ? null : sources.map((source) => `-A ${chain} -s ${source} -j RETURN`).join('\n');
  return renderTemplate(await readFile(packageUrl('templates/firewall.iptables'), 'utf8'), {
    proxyPorts: proxyPorts.join(','),
    adminPorts: adminPorts.length === 0 ? null : adminPorts.join(','),
    allowAdmin: returns('MTP-ADMIN'),
    allowProxy: returns('MTP-PROXY'),
    perSource,
    mask: family === 4 ? 32 : 64,
    rate: rate === null ? null : `${rate.count}/${UNITS[rate.per]}`,
    burst: rate?.burst ?? null,
    // The kernel keeps one table a name with the numbers that it was made with.
    rateName: rate === null ? null : `mtp${family}_${rate.count}${UNITS[rate.per]}${rate.burst}`,
    expireMs: rate === null ? null : rateMemory(rate) * 1000,
    srcMask: family === 4 ? '' : ' --hashlimit-srcmask 64',
  });
}

function isOurs(line: string): boolean {
  return /^(\[\d+:\d+\] )?(:MTP-|-A MTP-|-A PREROUTING .* -j MTP-IN$)/.test(line);
}

/** Chain by chain in order of their names, as the kernel gives them; no counts. */
function chainLines(lines: string[]): string[] {
  const rules = lines.filter((line) => line.startsWith('-A '));
  const chainOf = (line: string): string => line.split(' ')[1] ?? '';
  const chains = [...new Set(rules.map(chainOf))].toSorted();
  return chains.flatMap((chain) => rules.filter((line) => chainOf(line) === chain));
}

function withFamily(family: Family, lines: string[]): string[] {
  return lines.map((line) => `IPv${family} ${line}`);
}

/** The chains change in one step; the way to them is made when they are there. */
function load(program: string, file: string): string[] {
  const jump = `PREROUTING ${JUMP}`;
  return [
    `${program}-restore -w --noflush ${file}`,
    `${program} -w -t mangle -C ${jump} 2>/dev/null || ${program} -w -t mangle -I ${jump}`,
  ];
}

function clear(program: string): string[] {
  const each = (option: string): string[] =>
    CHAINS.map((chain) => `${program} -w -t mangle -${option} ${chain} 2>/dev/null || :`);
  return [`while ${program} -w -t mangle -D PREROUTING ${JUMP} 2>/dev/null; do :; done`, ...each('F'), ...each('X')];
}

function dropsIn(lines: string[]): Drops {
  const count = (pattern: RegExp): number =>
    lines.filter((line) => pattern.test(line)).reduce((sum, line) => sum + Number(/^\[(\d+):/.exec(line)?.[1] ?? 0), 0);
  return {
    banned: null,
    crowded: count(/-m connlimit /),
    hasty: count(/-m hashlimit /),
    closed: count(/-A MTP-ADMIN -j DROP/),
  };
}

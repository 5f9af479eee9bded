import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { packageUrl } from '../../system/module-url.ts';
import type { Exec } from '../../system/exec.ts';
import { renderTemplate } from '../../template/render.ts';
import { quoteSh, type Script } from '../script.ts';
import { NOTHING, type Opening } from './opening.ts';

const PROFILE = 'etc/ufw/applications.d/mtp';

/** What `ufw status` says of a rule. */
export interface UfwRule {
  to: string;
  isIpv6: boolean;
  action: 'ALLOW' | 'DENY' | 'REJECT' | 'LIMIT';
  from: string;
  comment: string | undefined;
  text: string;
}

/** The rules of `ufw status` for incoming packets, in order. */
export function ufwRules(status: string): UfwRule[] {
  return status.split('\n').flatMap((line): UfwRule[] => {
    const [, to = '', action, from = '', comment] =
      /^(\S.*?)\s{2,}(ALLOW|DENY|REJECT|LIMIT)(?: IN)?\s{2,}(\S.*?)(?:\s+# (.*))?\s*$/.exec(line) ?? [];
    if (action === undefined) return [];
    const isIpv6 = to.endsWith(' (v6)');
    return [
      {
        to: to.replace(/ \(v6\)$/, ''),
        isIpv6,
        action: action as UfwRule['action'],
        from: from.replace(/ \(v6\)$/, ''),
        comment,
        text: line.trim(),
      },
    ];
  });
}

/** Whether anybody gets to a TCP port, by the first rule that speaks of it; `ports` are those of our profile. */
export function ufwLetsIn(rules: readonly UfwRule[], port: number, isIpv6: boolean, ports: readonly number[]): boolean {
  const first = rules.find(
    (rule) => rule.isIpv6 === isIpv6 && rule.from === 'Anywhere' && speaksOf(rule.to, port, ports),
  );
  return first !== undefined && (first.action === 'ALLOW' || first.action === 'LIMIT');
}

function speaksOf(to: string, port: number, ports: readonly number[]): boolean {
  if (to === 'mtp') return ports.includes(port);
  if (to === 'Anywhere') return true;
  if (to === 'OpenSSH' || to === 'SSH') return port === 22;
  const [, list = '', protocol = 'tcp'] = /^([\d,:]+)(?:\/(\w+))?$/.exec(to) ?? [];
  const ranges = list.split(',').map((part) => part.split(':').map(Number));
  return protocol === 'tcp' && ranges.some(([from = 0, last = from]) => from <= port && port <= last);
}

/** The opening in an active ufw: an application profile, and a rule with our comment for it. */
export async function ufwOpening(exec: Exec, ports: readonly number[], root = '/'): Promise<Opening> {
  const file = path.join(root, PROFILE);
  const [{ stdout }, before, wanted, defaults] = await Promise.all([
    exec('ufw', ['status']),
    readFile(file, 'utf8').catch(() => null),
    renderProfile(ports),
    readFile(path.join(root, 'etc/default/ufw'), 'utf8').catch(() => ''),
  ]);
  const rules = ufwRules(stdout);
  const isMarked = rules.some(({ to, comment }) => to === 'mtp' && comment === 'mtp');
  const known =
    /^ports=([\d,]+)\/tcp$/m
      .exec(before ?? '')?.[1]
      ?.split(',')
      .map(Number) ?? [];
  const families = /^IPV6=["']?yes/im.test(defaults) ? [false, true] : [false];
  const lets = (port: number): boolean => families.every((isIpv6) => ufwLetsIn(rules, port, isIpv6, known));
  const isOpen = ports.every(lets) && (!isMarked || before === wanted);
  const target = quoteSh(file);
  const remove = ['ufw delete allow mtp >/dev/null || :', `rm -f ${target}`];
  const add = (name: string): string[] => [
    `install -m 0644 ${name} ${target}`,
    'ufw app update mtp >/dev/null',
    'ufw allow mtp comment mtp >/dev/null',
  ];
  return {
    manager: 'ufw',
    where: 'ufw',
    isOpen,
    isMarked: isMarked || before !== null,
    steps: isOpen ? [] : [`ufw: profile ${file}, then ufw allow mtp (${ports.join(',')}/tcp), comment mtp`],
    put: isOpen ? NOTHING : { files: { 'after.ufw': wanted }, lines: add('after.ufw') },
    restore: isOpen ? NOTHING : restoreScript(before, isMarked, add, remove),
    boot: NOTHING,
    close: { files: {}, lines: remove },
  };
}

function restoreScript(
  before: string | null,
  isMarked: boolean,
  add: (name: string) => string[],
  remove: string[],
): Script {
  if (before === null) return { files: {}, lines: remove };
  const [install = '', update = '', allow = ''] = add('before.ufw');
  const rule = isMarked ? allow : (remove[0] ?? '');
  return { files: { 'before.ufw': before }, lines: [install, update, rule] };
}

export async function renderProfile(ports: readonly number[]): Promise<string> {
  return renderTemplate(await readFile(packageUrl('templates/ufw-application'), 'utf8'), { ports: ports.join(',') });
}

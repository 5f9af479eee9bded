import type { ChalkInstance } from 'chalk';
import { plural } from '../ui/format.ts';
import { wrap } from '../ui/wrap.ts';
import type { HostFacts } from './facts.ts';
import type { Plan } from './plan.ts';
import type { InitProof } from './proofs.ts';

const LABEL = 11;

function rowsIn(colours: ChalkInstance): (label: string, text: string) => string {
  return (label, text) => ` ${colours.dim(label.padEnd(LABEL))}${text}`;
}

/** What was found, before anything is asked. */
export function factLines(host: HostFacts, colours: ChalkInstance): string[] {
  const row = rowsIn(colours);
  const { machine, ipv4, ipv6, driftMs, ssh } = host;
  const swap = machine.swapMb === 0 ? 'no swap' : `${(machine.swapMb / 1024).toFixed(1)} GB swap`;
  const container = host.container === null ? '' : `, in ${host.container}`;
  const peer = ssh.peer === null ? 'this is no SSH session' : `you come from ${ssh.peer}`;
  const dcs = host.telegram.map(({ dc, ms }) => (ms === null ? colours.red(`DC${dc} -`) : `DC${dc} ${ms} ms`));
  const outside = ipv4.outside.flatMap((answer) =>
    answer.ok ? [] : [row('', `${new URL(answer.url).host}: ${answer.reason}`)],
  );
  return [
    row(
      'Host',
      `${machine.system}${container}, ${plural(host.processors, 'CPU')}, ${(machine.memoryMb / 1024).toFixed(1)} GB, ${swap}`,
    ),
    row('Address', `${ipv4.address ?? ipv4.candidates.join(' or ')} (${ipv4.from})`),
    ...outside,
    row('IPv6', ipv6.address === null ? 'none' : `${ipv6.address} (${ipv6.from})`),
    row('Clock', clockText(driftMs)),
    row('Telegram', dcs.join('  ')),
    row('SSH', ssh.ports.length === 0 ? `no sshd found; ${peer}` : `on ${ssh.ports.join(', ')}; ${peer}`),
    row('Firewall', host.firewall === 'unknown' ? 'not checked: only root may see it' : host.firewall),
  ];
}

/** The clocks that it was compared with tell whole seconds. */
function clockText(driftMs: number | null): string {
  if (driftMs === null) return 'not checked: nobody told the time';
  const seconds = Math.round(Math.abs(driftMs) / 1000);
  return seconds <= 1 ? 'right within a second' : `${seconds} s ${driftMs > 0 ? 'ahead' : 'behind'}`;
}

/** What was found about the domain and, where nothing stands in the way, what is going to happen. */
export function planLines(plan: Plan, colours: ChalkInstance, columns?: number): string[] {
  const { answers, kind } = plan;
  const row = rowsIn(colours);
  const facts = [
    row('Port', portText(plan)),
    row('Domain', `${answers.domain}, ${kind === 'own' ? 'your own' : colours.yellow('borrowed: easier to block')}`),
    ...(answers.coverTarget === null ? [] : [row('Website', answers.coverTarget)]),
    ...plan.warnings.map((line) => warningLine(line, colours, columns)),
    '',
  ];
  if (plan.blockers.length > 0) return facts;
  return [
    ...facts,
    ` ${colours.bold('Will do')}`,
    ...plan.willDo.map((line) => `   ${line}`),
    ` ${colours.bold('Will not touch')}`,
    `   ${plan.willNotTouch.join(', ')}`,
    '',
  ];
}

/** Indented lines belong to the one before. */
function warningLine(line: string, colours: ChalkInstance, columns: number | undefined): string {
  const wrapped = wrap(` ! ${line}`, columns, '   ');
  return wrapped.replace('!', line.startsWith(' ') ? ' ' : colours.yellow('!'));
}

function portText({ answers: { port }, portHolder }: Plan): string {
  return portHolder === null ? `${port} is free` : `${port} is ${portHolder}`;
}

/** What was seen at the end. */
export function proofLines(proofs: InitProof[], colours: ChalkInstance): string[] {
  return proofs.map(
    ({ ok, title, detail }) => ` ${ok ? colours.green('✔') : colours.red('✖')} ${title.padEnd(20)} ${detail}`,
  );
}

import type { ChalkInstance } from 'chalk';
import { plural } from '../ui/format.ts';
import type { HostFacts } from './facts.ts';
import type { Plan } from './plan.ts';
import type { InitProof } from './proofs.ts';

const LABEL = 11;

/** What was found, before anything is asked. */
export function factLines(host: HostFacts, colours: ChalkInstance): string[] {
  const row = (label: string, text: string): string => ` ${colours.dim(label.padEnd(LABEL))}${text}`;
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
    row('Clock', driftMs === null ? 'not checked: nobody told the time' : `off by ${(driftMs / 1000).toFixed(1)} s`),
    row('Telegram', dcs.join('  ')),
    row('SSH', ssh.ports.length === 0 ? `no sshd found; ${peer}` : `on ${ssh.ports.join(', ')}; ${peer}`),
    row('Firewall', host.firewall === 'unknown' ? 'not checked: only root may see it' : host.firewall),
  ];
}

/** What is going to happen. */
export function planLines(plan: Plan, colours: ChalkInstance): string[] {
  const { answers, kind } = plan;
  const what = kind === 'own' ? 'your own domain' : colours.yellow('borrowed, easier to block');
  const at = answers.coverTarget === null ? '' : `, website at ${answers.coverTarget}`;
  return [
    '',
    ` ${colours.bold('Port')} ${portText(plan)}`,
    ` ${colours.bold('Looks like')} ${answers.domain} (${what}${at})`,
    ...plan.warnings.map((line) => ` ${colours.yellow('!')} ${line}`),
    ` ${colours.bold('Will do')}`,
    ...plan.willDo.map((line) => `   ${line}`),
    ` ${colours.bold('Will not touch')}`,
    `   ${plan.willNotTouch.join(', ')}`,
    '',
  ];
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

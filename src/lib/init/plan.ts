import type { ConfigEdit } from '../config/change.ts';
import { scoreDomain } from '../host/score.ts';
import type { DomainFacts } from '../host/domain.ts';
import type { PortFacts } from '../host/port.ts';
import type { ProbeTarget } from '../probe/wire.ts';
import type { HostFacts } from './facts.ts';
import type { Layout } from './layout.ts';

export interface Answers {
  domain: string;
  user: string;
  port: number;
  /** As it stands in the configuration; null for the domain itself. */
  coverTarget: string | null;
  server: string;
}

/** All that the plan follows from. */
export interface PlanInput {
  layout: Layout;
  host: HostFacts;
  domain: DomainFacts;
  target: ProbeTarget;
  port: PortFacts;
  answers: Answers;
  /** Keys of the settings that are taken over without a question; a value may hold a password. */
  taken: string[];
  /** Links of today have to stay valid. */
  keepsSecret: boolean;
  /** The operator said that a foreign domain is meant. */
  borrow: boolean;
  rotatesLogs: boolean;
  /** Our own proxy holds the port. */
  portIsOurs: boolean;
  /** What keeps files from being written, a sentence each. */
  writeFaults: string[];
  /** What the service cannot reach or use, a sentence each. */
  serviceFaults: string[];
}

export interface Plan {
  kind: 'own' | 'borrowed';
  answers: Answers;
  edits: ConfigEdit[];
  score: number;
  /** How the port is held, such as "taken by nginx (pid 7)"; null where it is free. */
  portHolder: string | null;
  willDo: string[];
  willNotTouch: string[];
  warnings: string[];
  /** What has to be put right first. Nothing is changed while there is any. */
  blockers: string[];
}

const DRIFT_WARNING_MS = 10_000;
/** Clients whose clock differs by more are refused (`protocol.max_skew`). */
const DRIFT_LIMIT_MS = 120_000;

/** Decide what to do from what is known. */
export function planInit(input: PlanInput): Plan {
  const { answers, domain, layout } = input;
  const kind = domain.isOurs ? 'own' : 'borrowed';
  const { points, reasons } = scoreDomain(domain);
  const edits: ConfigEdit[] = [
    { key: 'listen.port', value: answers.port },
    { key: 'cover.domain', value: answers.domain },
    ...(answers.coverTarget === null ? [] : [{ key: 'cover.target', value: answers.coverTarget }]),
    { key: 'link.server', value: answers.server },
  ];
  const manager = input.host.machine.systemd === 'running' && layout.system ? 'systemd' : 'a process in the background';
  return {
    kind,
    answers,
    edits,
    score: points,
    portHolder: input.port.free ? null : input.portIsOurs ? 'held by this proxy' : input.port.reason,
    willDo: [
      ...(layout.system ? [`system user ${layout.account}, without login`] : []),
      `${layout.paths.configFile}, state in ${layout.paths.state}`,
      ...(input.taken.length === 0 ? [] : [`take over ${input.taken.join(', ')}`]),
      `${input.keepsSecret ? 'the given' : 'a'} secret for ${answers.user}`,
      ...(layout.system && input.host.machine.systemd !== 'none' ? [layout.unit] : []),
      ...(input.rotatesLogs ? [layout.logrotate] : []),
      `start it by ${manager} on port ${answers.port}`,
    ],
    willNotTouch: ['SSH', 'firewall rules', 'Docker', 'web sites that are here', 'settings of the kernel'],
    warnings: warnings(input, points, reasons),
    blockers: blockers(input),
  };
}

function warnings({ host, domain, answers }: PlanInput, points: number, reasons: string[]): string[] {
  const score =
    points === 100 ? [] : [`${domain.domain} scores ${points} of 100:`, ...reasons.map((reason) => `  ${reason}`)];
  const drift = host.driftMs;
  const silent = host.telegram.filter(({ ms }) => ms === null).map(({ dc }) => `DC${dc}`);
  return [
    ...score,
    ...(drift !== null && Math.abs(drift) > DRIFT_WARNING_MS
      ? [`The clock is off by ${Math.round(drift / 1000)} s.`]
      : []),
    ...(silent.length > 0 ? [`${silent.join(', ')} did not answer.`] : []),
    ...(['none', 'unknown'].includes(host.firewall)
      ? []
      : [`${host.firewall} is active; let port ${answers.port} in with: mtp firewall apply`]),
    ...(host.machine.memoryMb <= 1024 && host.machine.swapMb === 0
      ? ['There is 1 GB of memory or less, and no swap.']
      : []),
  ];
}

function blockers(input: PlanInput): string[] {
  const { host, domain, target, port, answers, portIsOurs } = input;
  const { a, aaaa, cover } = domain;
  const name = domain.domain;
  const resolves = (a ?? []).length + (aaaa ?? []).length > 0;
  const where = 'path' in target ? `unix:${target.path}` : `${target.host}:${target.port}`;
  const loops = 'host' in target && target.port === answers.port && isHere(target.host, input);
  return [
    ...input.writeFaults,
    ...input.serviceFaults,
    ...(port.free || portIsOurs
      ? []
      : [`port ${port.port} is ${port.reason}; stop that, or choose another with --port`]),
    ...(a === null && aaaa === null ? [`no name server answers for ${name}; check the network`] : []),
    ...((a !== null || aaaa !== null) && !resolves
      ? [`${name} does not resolve; set its A record to this server`]
      : []),
    ...(resolves && !domain.isOurs && !input.borrow
      ? [
          `${name} does not point to this server but to ${[...(a ?? []), ...(aaaa ?? [])].join(', ')}; set its A record, or add --borrow`,
        ]
      : []),
    ...(loops ? [`${where} is this proxy itself; name the website with --cover-target`] : []),
    ...(!loops && resolves && !cover.ok
      ? [`the website ${name} at ${where}: ${cover.reason}; start it, or name another place with --cover-target`]
      : []),
    ...(host.telegram.every(({ ms }) => ms === null)
      ? [
          `no data centre of Telegram answers (${host.telegram[0]?.reason ?? ''}); check what leaves this machine, or set upstream.socks5`,
        ]
      : []),
    ...(host.driftMs !== null && Math.abs(host.driftMs) > DRIFT_LIMIT_MS
      ? [`the clock is off by ${Math.round(host.driftMs / 1000)} s, and clients would be refused; set it`]
      : []),
  ];
}

function isHere(host: string, { domain, host: { ipv4, ipv6 } }: PlanInput): boolean {
  const ours = [ipv4, ipv6].flatMap(({ address, interfaces }) => [...interfaces, address]);
  return /^(127\.|::1$|localhost$)/.test(host) || ours.includes(host) || (host === domain.domain && domain.isOurs);
}

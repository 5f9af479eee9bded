import type { PortHolder } from '../system/port-holder.ts';
import type { Found } from './found.ts';
import { addressOf, type LinkTry } from './try-links.ts';
import type { Running } from './running.ts';

/** All that a switch follows from. */
export interface SwitchFacts {
  found: Found;
  running: Running;
  /** Who listens on the port, and whether they are the other proxy. */
  holders: (PortHolder & { isOther: boolean })[];
  /** How the secrets fare with the other proxy. */
  before: LinkTry[];
  /** Whether a proxy of ours runs. */
  oursRuns: boolean;
  isRoot: boolean;
  uid: number;
}

export interface SwitchPlan {
  program: Found['program'];
  pid: number;
  unit: string | null;
  port: number;
  willDo: string[];
  /** What has to be put right first. Nothing is stopped while there is any. */
  blockers: string[];
}

const FIRST_FREE_PORT = 1024;

/** Decide whether the other proxy may be stopped, and what is done. Pure. */
export function planSwitch(facts: SwitchFacts): SwitchPlan {
  const { found, running, before } = facts;
  const { program } = found;
  const { pid, unit } = running;
  const { port } = addressOf(found);
  const links = before.length === found.secrets.length ? 'every secret' : `${before.length} of its secrets`;
  return {
    program,
    pid,
    unit,
    port,
    willDo: [
      unit === null ? `end ${program} (process ${pid}) by SIGTERM` : `systemctl stop ${unit} (process ${pid})`,
      `start mtp on port ${port}`,
      `shake hands with ${links}; where one is refused that ${program} accepts, start ${program} again`,
      ...(unit === null ? [] : [`systemctl disable ${unit}, once all of that holds`]),
    ],
    blockers: blockers(facts, port),
  };
}

function blockers({ found, running, holders, before, oursRuns, isRoot, uid }: SwitchFacts, port: number): string[] {
  const { program } = found;
  const { pid, unit } = running;
  const strangers = holders.filter(({ isOther }) => !isOther);
  const refused = before.find(({ accepted }) => !accepted);
  const byHand = unit === null;
  return [
    ...(oursRuns ? ['a proxy of mtp runs here already; stop it first: mtp stop'] : []),
    ...(!Number.isInteger(port) ? [`the settings of ${program} name no port`] : []),
    ...(!isRoot && running.uid !== uid ? [`process ${pid} belongs to somebody else; run this as root`] : []),
    ...(holders.some(({ isOther }) => isOther) ? [] : [`process ${pid} does not listen on port ${port}`]),
    ...strangers.map(({ name, pid: other }) => `port ${port} is also held by ${name} (process ${other})`),
    ...(byHand && running.contained
      ? [`process ${pid} runs in a container; stop it there, then run: mtp adopt without --switch, and mtp start`]
      : []),
    ...(byHand && running.program.endsWith(' (deleted)')
      ? [`the program of process ${pid} is gone from the disk, so that it could not be started again`]
      : []),
    ...(byHand && running.uid !== 0 && port < FIRST_FREE_PORT
      ? [`process ${pid} could not be given port ${port} again; name its unit with --unit`]
      : []),
    ...(refused === undefined
      ? []
      : [
          `${program} itself does not accept its secret (${refused.detail}), so that nothing would show whether mtp does`,
        ]),
  ];
}

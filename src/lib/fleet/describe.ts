import type { ChalkInstance } from 'chalk';
import { formatTable } from '../ui/table.ts';
import { plural } from '../ui/format.ts';
import type { Differences } from './compare.ts';
import type { PendingRotation } from './hosts.ts';
import type { FleetRotation } from './rotate.ts';
import type { HostOutcome } from './sync.ts';

/** A row of `mtp fleet status`. */
export interface FleetRow {
  host: string;
  version: string | null;
  revision: string | null;
  /** Null where the host was not reached. */
  users: number | null;
  state: 'first' | 'in sync' | 'differs' | 'unreachable';
  differences: Differences | null;
  /** One sentence; null where nothing is wrong. */
  error: string | null;
}

/** The table, and under it what is wrong, so that it fits a narrow terminal. */
export function statusLines(rows: FleetRow[], rotations: PendingRotation[], colours: ChalkInstance): string[] {
  const states = { first: colours.dim, 'in sync': colours.green, differs: colours.yellow, unreachable: colours.red };
  const table = formatTable(
    ['HOST', 'VERSION', 'REVISION', 'USERS', 'STATE'],
    rows.map(({ host, version, revision, users, state }) => [
      host,
      version ?? '-',
      revision?.slice(0, 12) ?? (users === null ? '-' : 'not running'),
      users === null ? '-' : String(users),
      states[state](state),
    ]),
  );
  const differing = rows
    .filter(({ state }) => state === 'differs')
    .map(
      ({ host, differences }) =>
        `${host}: ${describeDifferences(differences)}; put it right with: mtp fleet sync ${host}`,
    );
  const failing = rows.filter(({ error }) => error !== null).map(({ host, error }) => nameOnce(host, error ?? ''));
  const pending = rotations.map(
    ({ name, missing }) =>
      `The new secret of ${name} is not on ${missing.join(', ')}; go on with: mtp fleet rotate ${name}`,
  );
  return [...table, ...[...differing, ...failing, ...pending].map((line) => `  ${line}`)];
}

/** How the users of a host differ from ours, in words. */
export function describeDifferences(differences: Differences | null): string {
  const { missing = [], different = [], extra = [] } = differences ?? {};
  const parts = [
    missing.length === 0 ? [] : [`${some(missing)} missing`],
    different.length === 0 ? [] : [`${some(different)} otherwise than here`],
    extra.length === 0 ? [] : [`${some(extra)} not here`],
  ];
  return parts.flat().join(', ');
}

function some(names: string[]): string {
  return names.length > 3 ? plural(names.length, 'user') : names.join(' and ');
}

/** Errors of hosts begin with their name. */
function nameOnce(host: string, sentence: string): string {
  return sentence.startsWith(`${host}:`) || sentence.startsWith(`${host} `) ? sentence : `${host}: ${sentence}`;
}

/** A line a host. */
export function outcomeLines(outcomes: HostOutcome[], colours: ChalkInstance): string[] {
  const paint = {
    done: colours.green,
    same: colours.green,
    kept: colours.yellow,
    unreachable: colours.red,
    failed: colours.red,
    waiting: colours.yellow,
  };
  return outcomes.map(({ host, state, detail }) => {
    const told = detail.startsWith(`${host}: `) ? detail.slice(host.length + 2) : detail;
    return `${host}: ${paint[state](state)}, ${told}`;
  });
}

/** What a rotation would do, as a sentence. */
export function describeFleetPlan({ user, resumes, hosts }: FleetRotation): string {
  const names = hosts.map(({ name }) => name).join(', ');
  return resumes === null
    ? `This replaces the secret of ${user.name} here, and then on ${names}.`
    : `This goes on with the rotation of ${user.name} from ${resumes.startedAt.slice(0, 16).replace('T', ' ')} UTC, on ${names}.`;
}

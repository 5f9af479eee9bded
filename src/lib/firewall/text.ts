import type { ChalkInstance } from 'chalk';
import { formatDiff } from '../config/diff.ts';
import { plural } from '../ui/format.ts';
import { formatPairs } from '../ui/table.ts';
import { wrap } from '../ui/wrap.ts';
import type { ApplyResult } from './apply.ts';
import { intentLines } from './intent.ts';
import type { Persisted } from './persist.ts';
import type { FirewallPlan } from './plan.ts';
import type { FirewallRemoval } from './remove.ts';
import type { SshAnswer } from './ssh-answer.ts';
import type { FirewallStatus } from './status.ts';

const COLUMNS = 80;

/** The plan for a terminal: what is wanted, who is asked, and the rules that change. */
export function planLines(plan: FirewallPlan, colours: ChalkInstance, { all }: { all: boolean }): string[] {
  const { intent, backend, manager, ssh, steps, leaves, warnings } = plan;
  const [first = '', ...rest] = intentLines(intent);
  const pairs: [string, string][] = [
    ['Wanted', first],
    ...rest.map((line): [string, string] => ['', line]),
    ['SSH', sshText(ssh)],
    ['Limits by', backend],
    ['Host has', manager === 'none' ? 'no firewall of its own' : manager],
  ];
  return [
    ...formatPairs(pairs, colours),
    ...warnings.map((warning) => wrap(`${colours.yellow('!')} ${warning}`, COLUMNS)),
    ...(steps.length === 0 ? [] : ['To open:', ...steps.map((step) => wrap(`  ${step}`, COLUMNS, '    '))]),
    ...leaves.map((name) => `To take away: the rules of mtp in ${name}`),
    ...rulesText(plan, colours, all),
    ...(plan.isNeeded ? [] : ['Nothing to change: this is in force.']),
  ];
}

/** What changes, line by line; of a whole new set only how much it is, unless all is asked for. */
function rulesText({ diff, now }: FirewallPlan, colours: ChalkInstance, all: boolean): string[] {
  if (diff.length === 0) return [];
  if (now > 0 || all) return ['Rules of mtp:', ...diffText(diff, colours)];
  return [`Rules of mtp: ${plural(diff.length, 'new line')}; see them with: mtp firewall plan --rules`];
}

function sshText({ ports, peer }: FirewallPlan['ssh']): string {
  const where = ports.length === 0 ? 'not found' : `on ${ports.join(', ')}, not touched`;
  return peer === null ? where : `${where}; you come from ${peer}`;
}

function diffText(diff: FirewallPlan['diff'], colours: ChalkInstance): string[] {
  return formatDiff(diff).map((line, at) => {
    const text = wrap(`  ${line.replace(/^\s*\d+ /, '')}`, COLUMNS, '      ');
    return diff[at]?.sign === '+' ? colours.green(text) : colours.red(text);
  });
}

function sshLines(answers: SshAnswer[]): string[] {
  return answers.map(({ address, port, ok, detail }) =>
    ok
      ? `SSH answers on ${address} port ${port}: ${detail}`
      : `SSH does not answer on ${address} port ${port}: ${detail}`,
  );
}

export function applyLines({ state, ssh, until }: ApplyResult): string[] {
  switch (state) {
    case 'unchanged':
      return [];
    case 'planned':
      return ['Dry run: nothing was changed.'];
    case 'declined':
      return ['Nothing was changed.'];
    case 'confirmed':
      return [...sshLines(ssh), 'In force, seen in the kernel, and kept.', 'For the next start: mtp firewall persist'];
    case 'pending':
      return [
        ...sshLines(ssh),
        `In force until ${until?.slice(11, 19) ?? ''} UTC; then the rules from before come back.`,
        'Keep it from a new connection with: mtp firewall confirm',
      ];
  }
}

export function persistLines({ unit, loader, changed }: Persisted, dryRun: boolean): string[] {
  if (!changed) return [`${unit} is there, enabled, and loads the rules in force.`];
  if (dryRun) return [`Would write ${loader} and ${unit}.`, 'Dry run: nothing was changed.'];
  return [`Wrote ${loader}.`, `Enabled ${unit}: the rules come back after a restart.`];
}

export function removalLines(removal: FirewallRemoval | null): string[] {
  if (removal === null) return ['Nothing was changed.'];
  const { removed, dryRun } = removal;
  if (removed.length === 0) return ['Nothing to remove: no rule of mtp is here.'];
  const verb = dryRun ? 'Would remove' : 'Removed';
  return [...removed.map((one) => `${verb} ${one}.`), ...(dryRun ? ['Dry run: nothing was changed.'] : [])];
}

/** Intent against kernel, with every difference named. */
export function statusLines(status: FirewallStatus, colours: ChalkInstance): string[] {
  const { state, backend, manager, drops, persisted, pending } = status;
  const stateText = {
    'in force': colours.green('in force'),
    differs: colours.red('differs'),
    absent: colours.yellow('absent'),
  };
  const pairs: [string, string][] = [
    ['Rules', `${stateText[state]} (${backend})`],
    ['Host has', manager === 'none' ? 'no firewall of its own' : manager],
    ...status.openings.map(({ where, isOpen }): [string, string] => [isOpen ? 'Open' : 'Closed', `in ${where}`]),
    ...status.ssh.map(({ address, port, ok, detail }): [string, string] => [
      'SSH',
      `${address} port ${port}: ${ok ? detail : colours.red(detail)}`,
    ]),
    ...(drops === null ? [] : [['Kept out', dropText(drops)] as [string, string]]),
    ['Restart', restartText(persisted)],
    ...(pending === null
      ? []
      : [['Waits', `for "mtp firewall confirm", ${pending.secondsLeft} s more`] as [string, string]]),
  ];
  const endings = {
    confirmed: '',
    'rolled-back': 'A change was not confirmed: the rules from before are back.',
    failed: 'A change could not be taken back whole; see mtp firewall rollback.',
    rolling: 'A change is being taken back, or that was interrupted; see mtp firewall rollback.',
  };
  return [
    ...formatPairs(pairs, colours),
    ...status.leftIn.map((name) => `Rules of mtp are in ${name}, too; take them away with: mtp firewall apply`),
    ...status.ended.map(({ how }) => endings[how]),
    ...(status.differences.length === 0
      ? []
      : ['Differences (- wanted, + in the kernel):', ...diffText(status.differences, colours)]),
    ...(state === 'in force' ? [] : ['Put it right with: mtp firewall apply']),
  ];
}

function dropText(drops: NonNullable<FirewallStatus['drops']>): string {
  const names: [keyof typeof drops, string][] = [
    ['crowded', 'too many at once'],
    ['hasty', 'too fast'],
    ['banned', 'banned'],
    ['closed', 'admin ports'],
  ];
  const parts = names.flatMap(([key, name]) => (drops[key] === null ? [] : [`${drops[key]} ${name}`]));
  return `${parts.join(', ')} (packets)`;
}

function restartText(persisted: FirewallStatus['persisted']): string {
  if (persisted === null) return 'the rules are gone then; keep them with: mtp firewall persist';
  if (!persisted.enabled) return 'the unit is there, but not enabled; see mtp firewall persist';
  return persisted.isCurrent ? 'the rules come back' : 'other rules come back; see mtp firewall persist';
}

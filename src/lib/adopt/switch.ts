import { setTimeout as sleep } from 'node:timers/promises';
import { getStatus } from '../control/client.ts';
import { EXIT, MtpError } from '../errors.ts';
import type { ProbeEdges } from '../probe/dc.ts';
import { reasonOf } from '../probe/wire.ts';
import { start } from '../service/start.ts';
import { stop } from '../service/stop.ts';
import { enableUnit } from '../service/systemd.ts';
import type { Exec } from '../system/exec.ts';
import type { Paths } from '../system/paths.ts';
import { findPortHolders } from '../system/port-holder.ts';
import { plural } from '../ui/format.ts';
import type { Step } from '../ui/steps.ts';
import { readCommandLine } from './command-line.ts';
import { type Found, notUnderstood } from './found.ts';
import { disableOther, startOther, staysAlive, stopOther } from './other.ts';
import { findRunning, isAlive, isOf, type Running } from './running.ts';
import { planSwitch, type SwitchPlan } from './switch-plan.ts';
import { addressOf, type LinkTry, tryLink, tryLinks } from './try-links.ts';

export interface SwitchEdges {
  exec: Exec;
  probe: ProbeEdges;
  step: Step;
  /** Whether somebody asked to stop: then the other proxy is started again. */
  stopped: () => boolean;
  allowRoot: boolean;
}

/** A switch that is looked at but not begun. */
export interface Prepared {
  plan: SwitchPlan;
  found: Found;
  running: Running;
  before: LinkTry[];
}

export interface Switched {
  port: number;
  /** Process of our daemon. */
  pid: number;
  /** From the order to end until clients could connect again. */
  gapMs: number;
  links: LinkTry[];
  warnings: string[];
}

/** Look at the other proxy as it runs, and at how its secrets fare. Undefined where its unit does not run. */
export async function prepareSwitch(
  paths: Paths,
  found: Found,
  where: { unit: string } | { pid: number },
  { exec, probe }: Pick<SwitchEdges, 'exec' | 'probe'>,
): Promise<Prepared | undefined> {
  const running = await findRunning(where, exec);
  if (running === undefined) return undefined;
  identify(running, found);
  const { port } = addressOf(found);
  const holders = await Promise.all(
    (await findPortHolders(port)).map(async (holder) => ({ ...holder, isOther: await isOf(holder.pid, running) })),
  );
  const before = await tryLinks(found, probe);
  const plan = planSwitch({
    found,
    running,
    holders,
    before,
    oursRuns: (await getStatus(paths).catch(() => undefined)) !== undefined,
    isRoot: process.getuid?.() === 0,
    uid: process.getuid?.() ?? -1,
  });
  return { plan, found, running, before };
}

/** What is to be stopped has to be the very program that was read, whatever its unit says. */
function identify({ pid, argv }: Running, { program, secrets }: Found): void {
  const read = readCommandLine(argv);
  if ('file' in read) return;
  const isSame = read.program === program && read.secrets.every(({ key }, at) => secrets[at]?.key.equals(key) === true);
  if (!isSame) throw notUnderstood(`process ${pid}`, 'it was started with other settings than those that were read');
}

/** What a switch has brought about, a line each. */
export function describeSwitched({ program, pid: other }: SwitchPlan, { pid, port, gapMs, links }: Switched): string[] {
  return [
    `${program} (process ${other}) has ended; mtp (process ${pid}) serves port ${port}, after ${formatSeconds(gapMs)} s.`,
    `${plural(links.length, 'link')} tried: ${links.length === 1 ? 'it works' : 'all work'} as before.`,
  ];
}

function formatSeconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

export function refuseBlocked({ blockers, program }: SwitchPlan): void {
  if (blockers.length === 0) return;
  const [only = ''] = blockers;
  const many = ['this stands against the switch:', ...blockers.map((blocker) => `  - ${blocker}`)];
  throw new MtpError('SWITCH_BLOCKED', blockers.length === 1 ? only : many.join('\n'), {
    exit: EXIT.precondition,
    hint: `Nothing was changed, and ${program} goes on.`,
  });
}

/** Stop the other proxy, start ours, and see that the same links work; else start the other one again, and say so. */
export async function performSwitch(paths: Paths, prepared: Prepared, edges: SwitchEdges): Promise<Switched> {
  const { plan, running } = prepared;
  const { exec, step, allowRoot, stopped } = edges;
  const { program, port, unit } = plan;
  if (!(await isAlive(running))) {
    throw new MtpError('SWITCH_BLOCKED', `process ${running.pid} has ended in the meantime`, {
      exit: EXIT.precondition,
      hint: 'Run this again.',
    });
  }
  goOn(stopped);
  const from = performance.now();
  try {
    await step(`Stopping ${program}`, async () => stopOther(running, port, edges));
    goOn(stopped);
    const { status, target } = await step('Starting mtp', async () => start(paths, { allowRoot, stopped }));
    const gapMs = Math.round(performance.now() - from);
    const links = await step('Shaking hands', async () => proveLinks(prepared, edges.probe));
    goOn(stopped);
    // Which of the two starts with the machine changes last.
    const warnings = [
      ...(target === 'systemd' ? await warnOf(enableUnit(), 'mtp does not start with the machine') : []),
      ...(unit === null ? [] : await warnOf(disableOther(unit, exec), `${unit} starts with the machine still`)),
    ];
    return { port, pid: status.pid, gapMs, links, warnings };
  } catch (error) {
    throw await step(`Starting ${program} again`, async () => takeBack(paths, prepared, inWords(error), edges));
  }
}

function goOn(stopped: () => boolean): void {
  if (stopped()) throw new MtpError('INTERRUPTED', 'interrupted', { exit: EXIT.interrupted });
}

/** The secrets that the other proxy accepted, each in the same kind of link. One that is refused is an error. */
async function proveLinks({ found, before }: Prepared, probe: ProbeEdges): Promise<LinkTry[]> {
  const tries: LinkTry[] = [];
  for (const { at, mode } of before) tries.push(await tryLink(found, at, mode, probe));
  const refused = tries.filter(({ accepted }) => !accepted);
  const [first] = refused;
  if (first === undefined) return tries;
  throw new MtpError(
    'NOT_PROVED',
    `${plural(refused.length, 'link')} of ${tries.length} not accepted: ${first.detail}`,
  );
}

async function warnOf(task: Promise<void>, what: string): Promise<string[]> {
  return task.then(
    () => [],
    (error: unknown) => [`${what}: ${inWords(error)}`],
  );
}

function inWords(error: unknown): string {
  return error instanceof MtpError ? error.message : reasonOf(error);
}

const BACK_MS = 20_000;
const BACK_POLL_MS = 200;

/** Bring the other proxy back. Returns the error that tells what is the case now. */
async function takeBack(
  paths: Paths,
  { plan, found, running, before }: Prepared,
  why: string,
  { exec, probe, stopped }: SwitchEdges,
): Promise<MtpError> {
  const { program, unit, pid, port } = plan;
  let stays = false;
  try {
    await stop(paths, { now: true });
    // systemd starts a unit once it has ended, and something else may have started the program again already.
    stays = unit === null && (await staysAlive(running));
    const isThere = stays || (unit === null && (await findPortHolders(port)).length > 0);
    if (!isThere) await startOther(running, exec);
    const deadline = performance.now() + BACK_MS;
    for (;;) {
      const tries = await Promise.all(before.map(async ({ at, mode }) => tryLink(found, at, mode, probe)));
      const refused = tries.find(({ accepted }) => !accepted);
      if (refused === undefined) break;
      if (performance.now() > deadline) throw new Error(refused.detail);
      await sleep(BACK_POLL_MS);
    }
  } catch (error) {
    const how = unit === null ? 'as you did before' : `with: systemctl start ${unit}`;
    return new MtpError('SWITCH_STRANDED', `${why}; and ${program} does not serve again: ${inWords(error)}`, {
      hint: `Start ${program} ${how}. What was taken over stays with mtp.`,
    });
  }
  return new MtpError('SWITCH_UNDONE', stopped() ? 'interrupted' : `the switch did not hold: ${why}`, {
    exit: stopped() ? EXIT.interrupted : EXIT.rolledBack,
    hint: `${stays ? `${program} (process ${pid}) was told to end, and has not` : `${program} runs again`}; its links work as before. What was taken over stays with mtp.`,
  });
}

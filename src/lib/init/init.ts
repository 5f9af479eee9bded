import os from 'node:os';
import path from 'node:path';
import { loadConfig } from '../config/load.ts';
import { getStatus } from '../control/client.ts';
import { EXIT, MtpError } from '../errors.ts';
import { lookUp, nameResolver, pointsToUs, readDomainFacts } from '../host/domain.ts';
import { checkPort } from '../host/port.ts';
import { findClosedPart, findWriteFault } from '../host/space.ts';
import type { Exec } from '../system/exec.ts';
import { writeAtomic } from '../system/files.ts';
import { ownCommand } from '../system/own-command.ts';
import { type Asker, unanswered } from '../ui/ask.ts';
import type { Step } from '../ui/steps.ts';
import { planUninstall, removeMade } from '../uninstall/uninstall.ts';
import { listUsers } from '../users/load.ts';
import { answerDomain, answerServer, answerTarget, answerUser, configuredAnswers, type Wishes } from './answers.ts';
import { execute, type ExecuteEdges } from './execute.ts';
import { type FactEdges, type HostFacts, readHostFacts } from './facts.ts';
import { openJournal, readJournal } from './journal.ts';
import { type Layout, rotatesLogs } from './layout.ts';
import { withInstallLock } from './lock.ts';
import { type Plan, planInit } from './plan.ts';
import { type InitProof, proveInstallation } from './proofs.ts';
import { type Given, installSteps } from './steps.ts';

export interface InitOptions {
  wishes: Wishes;
  given?: Given;
  layout: Layout;
  /** Do not ask whether to go on. */
  yes: boolean;
  /** End with the plan. */
  planOnly: boolean;
  /** Name server to ask; undefined for the system's. */
  resolver: string | undefined;
  version: string;
}

export interface InitEdges extends FactEdges {
  /** Null where nobody can answer. */
  ask: Asker | null;
  step: Step;
  showFacts: (facts: HostFacts) => void;
  showPlan: (plan: Plan) => void;
  reached: ExecuteEdges['reached'];
  stopped: ExecuteEdges['stopped'];
}

export interface InitResult {
  schemaVersion: 1;
  version: string;
  state: 'planned' | 'declined' | 'installed';
  plan: Plan;
  /** Ids of the steps that changed something. */
  changed: string[];
  proofs: InitProof[];
  /** Milliseconds from the answer to the last proof. */
  ms: number;
}

/** Look, ask, plan, do and prove. Nothing is written before the plan is accepted. */
export async function runInit(options: InitOptions, edges: InitEdges): Promise<InitResult> {
  const { layout, wishes } = options;
  const { host, plan, target } = await prepare(options, edges);
  edges.showPlan(plan);
  const result: InitResult = {
    schemaVersion: 1,
    version: options.version,
    state: 'planned',
    plan,
    changed: [],
    proofs: [],
    ms: 0,
  };
  if (plan.blockers.length > 0) throw blocked(plan.blockers);
  if (options.planOnly) return result;
  if (!options.yes) {
    const question = 'Proceed?';
    if (edges.ask === null) throw unanswered(question, '--yes');
    // A domain that was borrowed without the word for it has to be wanted.
    if (!(await edges.ask.confirm(question, plan.kind === 'own' || wishes.borrow)))
      return { ...result, state: 'declined' };
  }
  const from = edges.probe.now();
  return withInstallLock(layout, async () => {
    const isFirst = (await readJournal(layout)) === undefined;
    goOn(edges);
    try {
      const journal = await openJournal(layout);
      const changed = await execute(
        installSteps(layout, host, plan, journal, { ...edges, given: options.given }),
        journal,
        edges,
      );
      const proofs = await edges.step('Looking at the result', async () =>
        proveInstallation(layout.paths, plan.answers, target, edges.probe),
      );
      goOn(edges);
      const ms = Math.round(edges.probe.now() - from);
      const finished: InitResult = { ...result, state: 'installed', changed, proofs, ms };
      await writeAtomic(layout.result, `${JSON.stringify(finished, null, 2)}\n`);
      return finished;
    } catch (error) {
      // Ctrl-C reaches the programs that a step runs, too: whatever failed then was interrupted.
      if (!edges.stopped()) throw error;
      if (isFirst) await edges.step('Taking back what was made', async () => takeBack(layout, edges.exec));
      throw interrupted(isFirst);
    }
  });
}

/** Ends a run that somebody asked to stop. */
function goOn({ stopped }: Pick<InitEdges, 'stopped'>): void {
  if (stopped()) throw interrupted(true);
}

function interrupted(nothingLeft: boolean): MtpError {
  const repeat = 'Run "mtp init" again to go on, or "mtp uninstall" to take back all of the installation.';
  return new MtpError('INTERRUPTED', nothingLeft ? 'interrupted; nothing is left behind' : 'interrupted', {
    exit: EXIT.interrupted,
    ...(nothingLeft ? {} : { hint: repeat }),
  });
}

async function takeBack(layout: Layout, exec: Exec): Promise<void> {
  const made = await planUninstall(layout, false);
  if (made !== null) await removeMade(made, layout, exec);
}

async function prepare({ layout, wishes, given, resolver, planOnly, yes }: InitOptions, edges: InitEdges) {
  const { paths } = layout;
  const { settings, origins } = await loadConfig({ file: paths.configFile, env: {} });
  const configured = configuredAnswers(settings, (key) => origins[key]?.origin === 'file');
  const ask = yes || planOnly ? null : edges.ask;
  if (ask === null && wishes.domain === undefined && configured.domain === undefined) {
    await answerDomain(wishes, undefined, '', null);
  }
  const host = await edges.step('Looking at this machine', async () => readHostFacts(settings, edges));
  goOn(edges);
  edges.showFacts(host);
  const ours = [host.ipv4, host.ipv6].flatMap(({ address, interfaces, candidates }) => [
    ...interfaces,
    ...candidates,
    ...(address === null ? [] : [address]),
    ...(wishes.server === undefined ? [] : [wishes.server]),
  ]);
  const resolve = nameResolver(resolver);
  const hostName = os.hostname();
  const isNamed = hostName.includes('.') && pointsToUs((await lookUp(resolve, hostName, 4)) ?? [], ours);
  const domain = await answerDomain(wishes, configured.domain, isNamed ? hostName : settings.cover.domain, ask);
  const addresses = [...((await lookUp(resolve, domain, 4)) ?? []), ...((await lookUp(resolve, domain, 6)) ?? [])];
  const isOurs = pointsToUs(addresses, ours);
  const keptTarget = origins['cover.target']?.origin === 'file' ? origins['cover.target'].value : undefined;
  const { text, target } = await answerTarget(
    wishes,
    { isOurs, domain, configured: typeof keptTarget === 'string' ? keptTarget : undefined },
    ask,
  );
  const { address, candidates } = host.ipv4;
  const server = await answerServer(
    wishes,
    { isOurs, domain, configured: configured.server, address, candidates },
    ask,
  );
  const [first] = await listUsers(paths);
  const user = await answerUser(wishes, first?.name, ask);
  const port = wishes.port ?? configured.port ?? (layout.system ? 443 : 8443);
  const facts = await edges.step(`Looking at ${domain}`, async () =>
    readDomainFacts(domain, target, ours, { resolve, edges: edges.probe }),
  );
  goOn(edges);
  const status = await getStatus(paths).catch(() => undefined);
  const plan = planInit({
    layout,
    host,
    domain: facts,
    target,
    port: await checkPort(port),
    portIsOurs: status?.engine.listening?.port === port,
    answers: { domain, user, port, coverTarget: text, server },
    taken: given?.edits.map(({ key }) => key) ?? [],
    keepsSecret: given?.key !== undefined,
    // A person sees the score and is asked; a second run was told before.
    borrow: wishes.borrow || ask !== null || configured.domain === domain,
    rotatesLogs: rotatesLogs(layout),
    writeFaults: await findWriteFaults(layout),
    serviceFaults: await findServiceFaults(layout),
  });
  return { host, plan, target };
}

async function findWriteFaults({ paths, system, unit }: Layout): Promise<string[]> {
  const places = [paths.config, paths.state, paths.logs, ...(system ? [path.dirname(unit)] : [])];
  const faults = await Promise.all(places.map(async (place) => findWriteFault(place)));
  return [...new Set(faults.filter((fault) => fault !== undefined))];
}

/** The user of the service has to be able to run what is installed. */
async function findServiceFaults({ system }: Layout): Promise<string[]> {
  if (!system) return [];
  const closed = await Promise.all(ownCommand().map(async (file) => findClosedPart(file)));
  return [...new Set(closed.filter((part) => part !== undefined))].map(
    (part) => `the service cannot use ${part}: other users may not read it; install mtp and Node elsewhere`,
  );
}

function blocked(blockers: string[]): MtpError {
  const [only] = blockers;
  const many = [`${blockers.length} things have to be put right first`, ...blockers.map((blocker) => `  - ${blocker}`)];
  return new MtpError('INIT_BLOCKED', blockers.length === 1 ? (only ?? '') : many.join('\n'), {
    exit: EXIT.precondition,
    hint: 'Nothing was changed. Run "mtp init" again afterwards.',
  });
}

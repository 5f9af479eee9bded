import path from 'node:path';
import type { ConfigEdit } from '../config/change.ts';
import { findAccount, findGroup } from '../host/account.ts';
import type { Exec } from '../system/exec.ts';
import { daemonFiles } from '../service/daemon-files.ts';
import { ownCommand } from '../system/own-command.ts';
import { renderFile } from '../template/catalogue.ts';
import { memoryLimitMb, type TemplateOptions } from '../template/values.ts';
import { accountStep } from './account-step.ts';
import { configStep } from './config-step.ts';
import { directoryStep, type Owner, type WantedDirectory } from './directory-step.ts';
import type { InstallStep } from './execute.ts';
import type { HostFacts } from './facts.ts';
import { fileStep } from './file-step.ts';
import type { Journal } from './journal.ts';
import { type Layout, rotatesLogs } from './layout.ts';
import type { Plan } from './plan.ts';
import { serviceStep } from './service-step.ts';
import { userStep } from './user-step.ts';

const WORLD_READABLE = 0o644;
const MOST_CPUS = 2;

/** Settings that nobody is asked for, and the key of 16 bytes that links hold already. */
export interface Given {
  edits: ConfigEdit[];
  key: Buffer | undefined;
}

export interface StepEdges {
  exec: Exec;
  stopped: () => boolean;
  given?: Given | undefined;
}

/** The steps of an installation in their order: each needs only what those before it made. */
export function installSteps(
  layout: Layout,
  host: HostFacts,
  plan: Plan,
  journal: Journal,
  { exec, stopped, given }: StepEdges,
): InstallStep[] {
  const { paths, system } = layout;
  const template: TemplateOptions = {
    port: plan.answers.port,
    cpus: Math.min(MOST_CPUS, host.processors),
    memoryMb: memoryLimitMb(host.machine.memoryMb * 2 ** 20),
    command: ownCommand(),
    logs: paths.logs,
    pidFile: daemonFiles(paths).pid,
    domain: plan.answers.domain,
    server: plan.answers.server,
  };
  const file = (id: string, title: string, to: string, source: string): InstallStep =>
    fileStep(id, `${title} ${to}`, to, WORLD_READABLE, async () => renderFile(source, template));
  const hasUnits = system && host.machine.systemd !== 'none';
  return [
    ...(system ? [accountStep(layout, exec)] : []),
    directoryStep(directories(layout)),
    configStep(layout, [...(given?.edits ?? []), ...plan.edits], journal),
    file('gitignore', 'Nothing for git:', path.join(paths.config, '.gitignore'), 'gitignore'),
    userStep(layout, plan.answers.user, given?.key),
    ...(hasUnits ? [file('unit', 'Unit', layout.unit, 'mtp.service')] : []),
    ...(rotatesLogs(layout) ? [file('logrotate', 'Log rotation', layout.logrotate, 'logrotate')] : []),
    serviceStep(paths, plan.answers.port, stopped),
  ];
}

function directories(layout: Layout): WantedDirectory[] {
  const { paths, runtime } = layout;
  const owner = async (): Promise<Owner | undefined> => ownerOf(layout);
  const logOwner = async (): Promise<Owner | undefined> => {
    const found = await ownerOf(layout);
    return found === undefined ? undefined : { uid: found.uid, gid: found.logGid };
  };
  const wanted: WantedDirectory[] = [
    { path: paths.state, mode: 0o700, owner, contents: true },
    { path: paths.config, mode: 0o700, owner, contents: false },
    { path: runtime, mode: layout.system ? 0o750 : 0o700, owner, contents: true },
    { path: paths.logs, mode: 0o750, owner: logOwner, contents: true },
  ];
  return wanted.filter(({ path: dir }, at) => wanted.findIndex((other) => other.path === dir) === at);
}

/** The account that the service runs as; undefined for an installation of one user. */
async function ownerOf({ system, account, root }: Layout): Promise<(Owner & { logGid: number }) | undefined> {
  const found = system ? await findAccount(account, root) : undefined;
  if (found === undefined) return undefined;
  // Administrators of Debian read logs as members of adm.
  return { uid: found.uid, gid: found.gid, logGid: (await findGroup('adm', root)) ?? found.gid };
}

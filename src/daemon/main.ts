import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FlagValue } from '../lib/config/evaluate.ts';
import { loadConfig } from '../lib/config/load.ts';
import { renderConfigTemplate } from '../lib/config/template.ts';
import { getStatus } from '../lib/control/client.ts';
import type { CoverStatus, DcStatus } from '../lib/control/schema.ts';
import { EXIT, MtpError } from '../lib/errors.ts';
import { type Access, describeAccess } from '../lib/link/access.ts';
import { ensureDirectory, writeAtomic } from '../lib/system/files.ts';
import type { Paths } from '../lib/system/paths.ts';
import { checkLedger } from '../lib/ledger/check.ts';
import { loadUsers } from '../lib/users/load.ts';
import { ensureFirstUser } from '../lib/users/store.ts';
import type { User } from '../lib/users/user.ts';
import { readUsers } from '../lib/users/with-users.ts';
import { startControl } from './control/server.ts';
import { Daemon, type Wanted } from './daemon.ts';
import { findOrphan, removeEnginePid, writeEnginePid } from './engine-pid.ts';
import { startJobs } from './jobs/schedule.ts';
import { assertBindable, choosePort, explainListenError } from './listen-port.ts';
import { readMachine } from './machine.ts';
import { type Cap, effectiveCap } from './revision.ts';
import { type StopReason, watchSignals } from './signals.ts';
import { BuiltinEngine } from './supervisor/builtin.ts';
import type { Endpoint } from './supervisor/engine.ts';
import { Supervisor } from './supervisor/supervisor.ts';
import type { Level, Log } from './telemetry/log.ts';

/** What is known once clients can connect. */
export interface Ready {
  pid: number;
  enginePid: number;
  revision: string;
  listening: Endpoint;
  workers: number;
  cap: Cap;
  users: User[];
  access: Access;
  configFile: string;
  /** The configuration or the first user was made by this start. */
  created: boolean;
}

export interface DaemonOutput {
  /** The log for a level, which the configuration names. */
  log: (level: Level) => Log;
  /** Run a step of the start under its title. */
  step: <Result>(title: string, task: () => Promise<Result>) => Promise<Result>;
  ready: (ready: Ready) => Promise<void> | void;
  probed: (seen: { dcs: DcStatus[]; cover: CoverStatus }) => Promise<void> | void;
}

export interface RunOptions {
  paths: Paths;
  /** Values from the command line. */
  overrides: FlagValue[];
  version: string;
  output: DaemonOutput;
}

export interface Stopped {
  reason: StopReason;
  /** Connections that were open when the time to drain was over. */
  cut: number;
}

const PROBE_MS = 5_000;
const MINUTE_MS = 60_000;

/** Run the proxy until a signal ends it. The one place that wires everything together. */
export async function runDaemon({ paths, overrides, version, output }: RunOptions): Promise<Stopped> {
  await refuseSecondDaemon(paths);
  const { wanted, created, configText, log } = await prepare(paths, overrides, output);
  const machine = await readMachine();
  const orphan = await findOrphan(paths.state);
  const supervisor = new Supervisor({
    makeEngine: () => new BuiltinEngine(),
    onEvent: ({ level, event, detail }) => log(level, event, detail),
    onStarted: async ({ pid }) => writeEnginePid(paths.state, pid),
    now: Date.now,
    random: Math.random,
    sleep: async (ms, signal) => sleep(ms, undefined, { signal }),
  });
  const edges = { timeoutMs: PROBE_MS, random: randomBytes, now: Date.now };
  const read = async (): Promise<Wanted> => readAgain(paths, overrides);
  const daemon = await Daemon.create({ paths, version, machine, supervisor, log, edges, read }, wanted);
  const signals = watchSignals();
  const closing: (() => Promise<unknown>)[] = [async () => supervisor.stop(), async () => removeEnginePid(paths.state)];
  try {
    const { settings } = daemon.revision;
    const engine = await output.step('Starting the proxy', async () => {
      if (orphan === undefined) await assertBindable(settings.listen);
      return supervisor.start(daemon.revision).catch(async (error: unknown) => {
        throw await explainListenError(settings.listen, error);
      });
    });
    if (configText !== undefined) await writeAtomic(paths.configFile, configText(engine.listening.port));
    const control = await startControl(paths.socket, {
      status: async () => daemon.status(),
      reload: async () => daemon.reload(),
    });
    closing.unshift(async () => control.close());
    retire(orphan, log);
    const { port } = engine.listening;
    await output.ready({
      pid: process.pid,
      enginePid: engine.pid,
      revision: daemon.revision.id,
      listening: engine.listening,
      workers: settings.workers,
      cap: effectiveCap(wanted.settings.limits.connections, machine),
      users: wanted.users,
      access: describeAccess(wanted.settings, port, os.networkInterfaces()),
      configFile: paths.configFile,
      created,
    });
    signals.onHangUp(() => {
      daemon.reload().catch((error: unknown) => log('error', 'reload_failed', {}, explain('reload', error)));
    });
    const failed = (name: string, error: unknown): void => log('error', 'job_failed', { name }, explain(name, error));
    const probes = Promise.all([daemon.refreshDcs(), daemon.refreshCover()]);
    void probes
      .then(async ([dcs, cover]) => output.probed({ dcs, cover }))
      .catch((error: unknown) => failed('probe', error));
    closing.unshift(
      startJobs(
        [
          {
            name: 'cover-profile',
            cron: '17 */6 * * *',
            jitterMs: 30 * MINUTE_MS,
            run: async () => void (await daemon.refreshCover()),
          },
          {
            name: 'dc-latency',
            cron: '*/10 * * * *',
            jitterMs: 2 * MINUTE_MS,
            run: async () => void (await daemon.refreshDcs()),
          },
        ],
        failed,
      ),
    );
    const reason = await signals.stopped;
    log('info', 'draining', { signal: reason, seconds: wanted.settings.shutdown.drain_timeout / 1000 });
    const drained = await Promise.race([
      supervisor.drain(daemon.settings.shutdown.drain_timeout),
      signals.stoppedAtOnce,
    ]);
    if (drained === 'at-once') {
      const open = (await supervisor.stats().catch(() => undefined))?.connections.current ?? 0;
      return { reason, cut: open };
    }
    return { reason, cut: drained.cut };
  } finally {
    for (const close of closing) await close();
    // Last, so that an impatient Ctrl-C leaves no engine behind.
    signals.close();
  }
}

async function refuseSecondDaemon(paths: Paths): Promise<void> {
  const other = await getStatus(paths);
  if (other === undefined) return;
  throw new MtpError('RUNNING', `a proxy already runs here (pid ${other.pid})`, {
    exit: EXIT.precondition,
    hint: 'See it with "mtp status"; run a second one with its own --home and --port.',
  });
}

/** Settings and users, made where there are none. The first configuration is written once its port is really served. */
async function prepare(
  paths: Paths,
  overrides: FlagValue[],
  output: DaemonOutput,
): Promise<{ wanted: Wanted; created: boolean; configText: ((port: number) => string) | undefined; log: Log }> {
  const { settings, origins } = await loadConfig({ file: paths.configFile, env: process.env, flags: overrides });
  const log = output.log(settings.log.level);
  for (const dir of [paths.config, paths.state]) await ensureDirectory(dir);
  const { users, created } = await prepareUsers(paths, log);
  if (existsSync(paths.configFile)) return { wanted: { settings, users }, created, configText: undefined, log };
  const origin = origins['listen.port']?.origin;
  if (origin === 'default') settings.listen.port = await choosePort(settings.listen.host);
  const kept = origin === 'env' ? undefined : settings.listen.port;
  const text = await renderConfigTemplate({ port: kept });
  return { wanted: { settings, users }, created: true, configText: () => text, log };
}

/** The users of a ledger that is whole, one at least. */
async function prepareUsers(paths: Paths, log: Log): Promise<{ users: User[]; created: boolean }> {
  const files = { ...paths, notice: (sentence: string) => log('info', 'users_taken_over', {}, sentence) };
  await readUsers(files, undefined, async (ledger) => checkLedger(ledger, paths.ledgerFile));
  const { created } = await ensureFirstUser(files);
  const { users, warnings } = await loadUsers(files);
  for (const warning of warnings) log('warn', 'exposed', {}, warning);
  return { users, created };
}

/** The files as they are now. A configuration that is gone is no wish for the defaults. */
async function readAgain(paths: Paths, overrides: FlagValue[]): Promise<Wanted> {
  if (!existsSync(paths.configFile)) {
    throw new MtpError('CONFIG_MISSING', `${paths.configFile} is gone; the running settings stay in force`, {
      exit: EXIT.precondition,
      hint: 'Put it back and reload, or restart to run on the defaults.',
    });
  }
  const { settings } = await loadConfig({ file: paths.configFile, env: process.env, flags: overrides });
  return { settings, users: (await loadUsers(paths)).users };
}

/** Have the engine of a daemon that died serve its connections to their end and go. */
function retire(orphan: number | undefined, log: Log): void {
  if (orphan === undefined) return;
  try {
    process.kill(orphan, 'SIGTERM');
    log('warn', 'orphan_retired', { pid: orphan }, `the engine of an earlier daemon (pid ${orphan}) drains and ends`);
  } catch (error) {
    log('warn', 'orphan_not_retired', { pid: orphan }, explain('retire', error));
  }
}

function explain(what: string, error: unknown): string {
  return `${what} failed: ${error instanceof Error ? error.message : String(error)}`;
}

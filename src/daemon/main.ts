import { randomBytes } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SYSTEM_FEEDS } from '../lib/access/feeds.ts';
import { loadAccess } from '../lib/access/load.ts';
import type { FlagValue } from '../lib/config/evaluate.ts';
import { keepInHistory } from '../lib/config/history.ts';
import { getStatus } from '../lib/control/client.ts';
import type { CoverStatus, DcStatus } from '../lib/control/schema.ts';
import { EXIT, MtpError } from '../lib/errors.ts';
import { type Access, describeAccess } from '../lib/link/access.ts';
import { watchOom } from '../lib/system/oom.ts';
import { writeAtomic } from '../lib/system/files.ts';
import type { Paths } from '../lib/system/paths.ts';
import { KnownUsers } from '../lib/users/known-users.ts';
import type { User } from '../lib/users/user.ts';
import { type ControlActions, startControl } from './control/server.ts';
import { Daemon, type DaemonParts } from './daemon.ts';
import { findOrphans, orphansGone, removeEnginePids, writeEnginePids } from './engine-pid.ts';
import { keepPackage } from './engine-package.ts';
import { engineDirectory, engineIdentity } from './identity.ts';
import { Guard } from './guard/guard.ts';
import { policyOf } from '../lib/guard/decide.ts';
import { exemptions } from '../lib/guard/exempt.ts';
import { renewEngine } from './renew-engine.ts';
import { leftBy } from './usage/left-files.ts';
import { UsageBooks } from './usage/books.ts';
import { Announcer } from './jobs/announcements.ts';
import { FeedKeeper } from './jobs/feeds.ts';
import { startJobs } from './jobs/schedule.ts';
import { SecretKeeper } from './jobs/secrets.ts';
import { assertBindable, explainListenError } from './listen-port.ts';
import { readMachine } from './machine.ts';
import { type Cap, effectiveCap } from './revision.ts';
import { type StopReason, watchSignals } from './signals.ts';
import { daemonFiles, saveLastStop } from '../lib/service/daemon-files.ts';
import { BuiltinEngine } from './supervisor/builtin.ts';
import type { Endpoint } from './supervisor/engine.ts';
import { Supervisor } from './supervisor/supervisor.ts';
import type { Log, Threshold } from './telemetry/log.ts';
import { prepare, readAgain, type Wanted } from './wanted.ts';

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
  /** The log from a level on, which the configuration names and a command may change. */
  log: (threshold: Threshold) => Log;
  /** Go on in log files of the same names: those before were moved away. */
  reopen: () => void;
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
  /** The engine may run as root. */
  allowRoot: boolean;
  /** Nobody watches. */
  asService: boolean;
  output: DaemonOutput;
}

export interface Stopped {
  reason: StopReason;
  /** Connections that were open when the time to drain was over. */
  cut: number;
}

const AS_ROOT = 'the engine runs as root: make a user with "useradd --system mtp" and it is used from the next start';
const PROBE_MS = 5_000;
const MINUTE_MS = 60_000;

/** Run the proxy until a signal ends it. The one place that wires everything together. */
export async function runDaemon(options: RunOptions): Promise<Stopped> {
  const { paths, overrides, version, output, allowRoot, asService } = options;
  await refuseSecondDaemon(paths);
  const known = new KnownUsers();
  const { wanted, created, configText, log, logLevel } = await prepare(paths, overrides, { output, known });
  const machine = await readMachine();
  const facts = { isRoot: process.getuid?.() === 0, allowRoot, asService };
  const identity = await engineIdentity(wanted.settings.engine.user, facts);
  await engineDirectory(paths.state, identity);
  if (identity.asRoot && !allowRoot) log('warn', 'engine_as_root', {}, AS_ROOT);
  // Each engine is started as whom the settings say by then.
  let { via } = identity;
  const engineFiles = path.join(paths.state, 'engine');
  const orphans = await findOrphans(paths.state, await leftBy(engineFiles));
  const supervisor = new Supervisor({
    makeEngine: (sockets, module) => new BuiltinEngine(module, { sockets, via }),
    onEvent: ({ level, event, detail }) => log(level, event, detail),
    onOffence: (offence) => guard.offend(offence),
    onEngines: async (pids) => {
      await writeEnginePids(paths.state, [...pids, ...orphans]);
      await books.refresh();
    },
    watchDeath: async (pid) => watchOom(pid),
    now: Date.now,
    random: Math.random,
    sleep: async (ms, signal) => sleep(ms, undefined, { signal }),
  });
  const edges = { timeoutMs: PROBE_MS, random: randomBytes, now: Date.now };
  const read: DaemonParts['read'] = async (before) => readAgain(paths, overrides, known, before);
  const runAs = async (user: string): Promise<void> => {
    const next = await engineIdentity(user, facts);
    await engineDirectory(paths.state, next);
    ({ via } = next);
  };
  const inForce = async ({ settings, text }: Wanted, revision: string): Promise<void> => {
    logLevel.configure(settings.log.level);
    if (text === undefined) return;
    await keepInHistory(paths, { text, revision, at: Date.now() }).catch((error: unknown) => {
      log('error', 'history_failed', {}, explain('keeping the configuration in the history', error));
    });
  };
  const parts = { paths, version, machine, supervisor, log, edges, read, runAs, inForce };
  const daemon = await Daemon.create(parts, wanted);
  const books = new UsageBooks({
    files: paths,
    directory: engineFiles,
    engines: () => supervisor.engines,
    orphaned: () => orphans.length > 0,
    intervalMs: () => daemon.settings.usage.flush_interval,
    log,
    now: Date.now,
  });
  const guard = new Guard({
    files: paths,
    access: async (known) => loadAccess(paths, known),
    push: async (rules) => supervisor.guard(rules),
    policy: () => policyOf(daemon.settings.guard),
    exempt: async () => exemptions(daemon.settings.listen.proxy_protocol_from, process.env),
    log,
    now: Date.now,
    random: Math.random,
  });
  const reload: ControlActions['reload'] = async (request) => {
    const reply = await daemon.reload(request);
    await books.refresh();
    return reply;
  };
  const signals = watchSignals();
  const ending = new AbortController();
  const closing: (() => Promise<unknown>)[] = [
    async () => supervisor.stop(),
    async () => books.close(),
    async () => guard.close(),
    async () => (orphans.length === 0 ? removeEnginePids(paths.state) : undefined),
    async () => unlink(daemonFiles(paths).pid).catch(() => undefined),
  ];
  try {
    const { settings } = daemon.revision;
    const engine = await output.step('Starting the proxy', async () => {
      await guard.load();
      if (orphans.length === 0) await assertBindable(settings.listen);
      return supervisor.start(daemon.revision, { beside: orphans.length > 0 }).catch(async (error: unknown) => {
        throw await explainListenError(settings.listen, error);
      });
    });
    const text = configText?.(engine.listening.port) ?? wanted.text;
    if (configText !== undefined && text !== undefined) await writeAtomic(paths.configFile, text);
    await inForce({ ...wanted, text }, daemon.revision.id);
    const kept = await keepPackage(paths.state);
    const { port } = engine.listening;
    const announcer = new Announcer({
      paths,
      served: () => daemon.wanted.generation,
      access: () => describeAccess(daemon.settings, port, os.networkInterfaces()),
      log,
      now: Date.now,
    });
    const control = await startControl(paths.socket, {
      status: async () => ({
        ...(await daemon.status()),
        usage: books.state,
        announcements: announcer.state,
      }),
      usage: async () => daemon.usage(),
      plan: async () => daemon.plan(),
      reload,
      engine: async (request) => renewEngine({ daemon, supervisor, state: paths.state, kept }, request),
      claim: async ({ from }) => {
        await supervisor.serving.claim(from);
        return { claimed: true };
      },
      guard: async () => guard.load(),
      outlooks: async (addresses) => supervisor.outlooks(addresses),
      log: async (request) => {
        if (request !== undefined) {
          logLevel.choose(request.level, Date.now());
          log('info', 'log_level', { ...logLevel.describe() });
        }
        return logLevel.describe();
      },
      stop: async ({ now }) => {
        const connections = (await supervisor.stats().catch(() => undefined))?.connections.current ?? 0;
        // The answer goes first.
        setImmediate(() => signals.stop({ now }));
        return { pid: process.pid, connections, drainMs: now ? 0 : daemon.settings.shutdown.drain_timeout };
      },
    });
    closing.unshift(async () => control.close());
    await writeAtomic(daemonFiles(paths).pid, `${process.pid}\n`);
    retire(orphans, log);
    void books.run();
    void orphansGone(orphans, ending.signal)
      .then(async () => {
        orphans.splice(0);
        await supervisor.othersGone();
      })
      .catch(() => undefined);
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
      reload({ handOver: true }).catch((error: unknown) => {
        log('error', 'reload_failed', {}, explain('reload', error));
      });
    });
    signals.onReopen(() => {
      try {
        output.reopen();
        log('info', 'log_reopened');
      } catch (error) {
        log('error', 'log_not_reopened', {}, explain('reopening the log', error));
      }
    });
    const failed = (name: string, error: unknown): void => log('error', 'job_failed', { name }, explain(name, error));
    const probes = Promise.all([daemon.refreshDcs(), daemon.refreshCover()]);
    void probes
      .then(async ([dcs, cover]) => output.probed({ dcs, cover }))
      .catch((error: unknown) => failed('probe', error));
    const secrets = new SecretKeeper({
      paths,
      inForce: () => daemon.wanted,
      reload: async () => reload({ handOver: false }),
      stale: async () => (await supervisor.stats()).handshakes.stale,
      usage: async () => daemon.usage(),
      log,
      now: Date.now,
    });
    const feeds = new FeedKeeper({
      files: paths,
      sources: SYSTEM_FEEDS,
      changed: async () => guard.load(),
      log,
    });
    closing.unshift(
      startJobs(
        [
          { name: 'secrets', cron: '*/10 * * * * *', jitterMs: 0, run: async () => secrets.run() },
          // Apart from the other, as a hook may take its time and an end of a grace may not.
          { name: 'announcements', cron: '5-59/10 * * * * *', jitterMs: 0, run: async () => announcer.run() },
          { name: 'guard', cron: '*/10 * * * * *', jitterMs: 0, run: async () => guard.watch() },
          { name: 'feeds', cron: '* * * * *', jitterMs: MINUTE_MS / 3, run: async () => feeds.run() },
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
    const drainMs = daemon.settings.shutdown.drain_timeout;
    log('info', 'draining', { signal: reason, seconds: drainMs / 1000 });
    const drained = await Promise.race([supervisor.drain(drainMs), signals.stoppedAtOnce]);
    const cut = drained === 'at-once' ? await openConnections(supervisor) : drained.cut;
    await saveLastStop(paths, { pid: process.pid, at: Date.now(), reason, cut });
    log('info', 'stopped', { signal: reason, cut });
    return { reason, cut };
  } finally {
    ending.abort();
    for (const close of closing) await close();
    // Last, so that an impatient Ctrl-C leaves no engine behind.
    signals.close();
  }
}

/** Connections of all engines. */
async function openConnections(supervisor: Supervisor): Promise<number> {
  const all = [supervisor.stats(), ...supervisor.retired.map(async ({ engine }) => engine.stats())];
  const stats = await Promise.all(all.map(async (asked) => asked.catch(() => undefined)));
  return stats.reduce((total, each) => total + (each?.connections.current ?? 0), 0);
}

async function refuseSecondDaemon(paths: Paths): Promise<void> {
  const other = await getStatus(paths);
  if (other === undefined) return;
  throw new MtpError('RUNNING', `a proxy already runs here (pid ${other.pid})`, {
    exit: EXIT.precondition,
    hint: 'See it with "mtp status"; run a second one with its own --home and --port.',
  });
}

/** Have the engines of a daemon that died serve their connections to the end and go. */
function retire(orphans: number[], log: Log): void {
  for (const pid of orphans) {
    try {
      process.kill(pid, 'SIGTERM');
      log('warn', 'orphan_retired', { pid }, `the engine of an earlier daemon (pid ${pid}) drains and ends`);
    } catch (error) {
      log('warn', 'orphan_not_retired', { pid }, explain('retire', error));
    }
  }
}

function explain(what: string, error: unknown): string {
  return `${what} failed: ${error instanceof Error ? error.message : String(error)}`;
}

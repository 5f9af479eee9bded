import { BlockList, isIP } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { errnoCode } from '../../lib/errors.ts';
import { accelerate } from '../../lib/protocol/ctr.ts';
import { loadAccelerator } from '../../lib/system/accelerator.ts';
import { CoverTargetResolver } from './cover-target.ts';
import { DcBreakers, monotonicMs } from './dc-breakers.ts';
import { DcUpkeep } from './dc-upkeep.ts';
import { DcWarm } from './dc-warm.ts';
import { Guard } from './guard.ts';
import { Lanes } from './lanes.ts';
import { listen, type ListenAt, type Listener, type ListenerEvents } from './listener.ts';
import { OwnConnections } from './own-connections.ts';
import type { Plane } from './plane.ts';
import { ReplayJournal } from './replay-journal.ts';
import { Searches } from './searches.ts';
import { Session } from './session.ts';
import { BreakerTable } from './shared/breakers.ts';
import { ConductTable } from './shared/conduct.ts';
import { Counters } from './shared/counters.ts';
import { Gauges } from './shared/gauges.ts';
import { KeyPoints } from './shared/key-points.ts';
import { LoopFilter } from './shared/loop-filter.ts';
import { ReplayTable } from './shared/replay.ts';
import { SourceTable } from './shared/sources.ts';
import { WarmCounts } from './shared/warm-counts.ts';
import { UserTable } from './shared/user-table.ts';
import { UserSet } from './user-set.ts';
import { Wheel } from './wheel.ts';
import type { WorkerData, WorkerMessage, WorkerRequest, WorkerRevision } from './worker-messages.ts';

/** One thread of the engine: its own listener on the shared port, its own sessions, shared tables. */

const { worker, workers, revision, port, fds, seed, memory, rules } = workerData as WorkerData;
const sessions = new Set<Session>();
const forget = (session: Session): boolean => sessions.delete(session);

/** How often memory goes back to the system that a burst has left with malloc. One worker does it for all. */
const TRIM_MS = 30_000;
/** An event of one name is told at most once in this time. */
const EVENT_MS = 10_000;
const told = new Map<string, number>();

function say(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}

const event: Plane['event'] = (level, name, detail) => {
  const now = performance.now();
  if (now - (told.get(name) ?? -EVENT_MS) < EVENT_MS) return;
  told.set(name, now);
  tell(level, name, detail);
};

/** For what is rare by itself. */
const tell: Plane['event'] = (level, name, detail) => {
  say({ type: 'event', event: { level, event: name, detail: { ...detail, worker } } });
};

const accelerator = loadAccelerator((reason) => event('warn', 'accelerator_refused', { reason }));
accelerate(accelerator);
const lanes = Lanes.start(accelerator);

function ofRevision({ settings, users }: WorkerRevision): Pick<Plane, 'settings' | 'users' | 'trusted' | 'cover'> {
  const { listen: at, proxyProtocolFrom, cover } = settings;
  return {
    settings,
    users: new UserSet(users),
    trusted: proxyProtocolFrom.length === 0 ? null : blockList(proxyProtocolFrom),
    cover: new CoverTargetResolver(cover.target, at),
  };
}

function blockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return list;
}

const plane: Plane = {
  ...ofRevision(revision),
  wheel: new Wheel(() => lanes?.collect()),
  searches: new Searches(),
  points: KeyPoints.attach(memory.points),
  counters: Counters.attach(memory.counters).row(worker),
  gauges: Gauges.attach(memory.gauges).row(worker),
  own: new OwnConnections((from, result) => say({ type: 'fate', from, result }), monotonicMs),
  sources: SourceTable.attach(memory.sources, workers, worker),
  guard: new Guard(ConductTable.attach(memory.conduct, worker), revision.settings, (offence) => {
    say({ type: 'offence', offence });
  }),
  rows: UserTable.attach(memory.users, workers, worker).worker(worker),
  replay: ReplayTable.attach(memory.replay, worker),
  journal: new ReplayJournal(revision.settings.replayFile, (code) => event('error', 'replay_journal_failed', { code })),
  loops: LoopFilter.attach(memory.loops, worker),
  seed,
  breakers: new DcBreakers(BreakerTable.attach(memory.breakers, worker), revision.dcSlots, {
    now: monotonicMs,
    random: Math.random,
    tell,
  }),
  warm: new DcWarm(worker, WarmCounts.attach(memory.warm).row(worker)),
  lanes,
  event,
};

plane.guard.rules = rules;

function review(): void {
  for (const session of sessions) session.review();
}

async function stop(): Promise<void> {
  plane.warm.close();
  for (const session of sessions) session.close('stopped');
  await plane.journal.close();
  process.exit(0);
}

const listenerEvents: ListenerEvents = {
  onConnection: (conn) => {
    const session = new Session(plane, conn, forget);
    sessions.add(session);
    session.start();
  },
  onAcceptError: (code) => event('error', 'accept_failed', { code }),
};

let listeners: Listener[] = [];

function pause(): void {
  for (const listener of listeners.splice(0)) listener.close();
}

/** Listen on inherited sockets or, without any, on one of our own, and say the port. */
async function open(given: number[] | null): Promise<void> {
  const before = listeners;
  const { host, backlog } = plane.settings.listen;
  const places: ListenAt[] = given === null ? [{ host, port, backlog }] : given.map((fd) => ({ fd, backlog }));
  listeners = await Promise.all(places.map(async (place) => listen(place, listenerEvents)));
  for (const listener of before) listener.close();
  plane.journal.eager = false;
  say({
    type: 'listening',
    port: listeners[0]?.port ?? port,
    accelerator: accelerator === null ? 'none' : 'native',
  });
}

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  say({ type: 'failed', code: errnoCode(error) ?? 'LISTEN', message });
}

async function start(): Promise<void> {
  parentPort?.on('message', (request: WorkerRequest) => {
    switch (request.type) {
      case 'open':
        open(request.fds).catch(fail);
        return;
      case 'pause':
        pause();
        plane.journal.eager = true;
        void plane.journal.flush().then(() => say({ type: 'paused' }));
        return;
      case 'apply':
        Object.assign(plane, ofRevision(request.revision));
        plane.guard.settings = request.revision.settings;
        plane.breakers.slots = request.revision.dcSlots;
        plane.warm.clear();
        review();
        say({ type: 'applied', id: request.revision.id });
        return;
      case 'claim':
        plane.own.expect(request.from);
        say({ type: 'claimed', from: request.from });
        return;
      case 'disclaim':
        plane.own.forget(request.from);
        return;
      case 'guard':
        plane.guard.rules = request.rules;
        review();
        say({ type: 'guarded' });
        return;
      case 'review':
        review();
        return;
      case 'drain':
        pause();
        plane.warm.close();
        if (!request.gentle) for (const session of sessions) if (!session.inUse) session.close('stopped');
        return;
      case 'stop':
        void stop();
    }
  });
  await open(fds);
  new DcUpkeep(plane);
  if (worker === 0) setInterval(() => accelerator?.trim?.(), TRIM_MS);
}

start().catch(fail);

import { readFileSync } from 'node:fs';
import { errnoCode } from '../../lib/errors.ts';
import { packageUrl } from '../../lib/system/module-url.ts';
import type { EngineEvent, Offence } from '../supervisor/engine.ts';
import {
  type EngineMessage,
  type EngineReply,
  type EngineRequest,
  IPC_VERSION,
  type SocketMessage,
} from '../supervisor/ipc.ts';
import { Inherited } from './inherited.ts';
import { Pool } from './pool.ts';

/** Entry of the engine process: the supervisor's requests in, answers and events out. */

/** Time to drain when the process is told to end by signal, which is how a later daemon retires it. */
const SIGNAL_DRAIN_MS = 30_000;

let pool: Pool | null = null;
/** Clients may connect, or could before a hand-over that is under way. */
let opened = false;
/** What is left to do is to serve the open connections to their end. */
let retiring = false;

const inherited = new Inherited((want) => {
  if (!process.connected) return false;
  send(want);
  return true;
});

function send(message: EngineMessage): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

const tell = (event: EngineEvent): void => send({ type: 'event', event });
const report = (offence: Offence): void => send({ type: 'offence', offence });

async function handle(request: EngineRequest): Promise<EngineReply> {
  if (request.type === 'start') return start(request);
  if (pool === null) throw new Error('the engine has not been started');
  switch (request.type) {
    case 'open':
      return open(pool);
    case 'pause':
      // Held, so that a daemon that dies in the middle of a hand-over leaves somebody who can go on.
      await inherited.hold();
      await pool.pause();
      return null;
    case 'apply':
      return pool.apply(request.revision);
    case 'stats':
      return pool.stats();
    case 'usage':
      if (request.recorded !== null) pool.recorded(request.recorded);
      return pool.usage();
    case 'claim':
      await pool.claim(request.from);
      return null;
    case 'fate':
      return pool.fate(request.from);
    case 'allow':
      pool.allow(request.allowances);
      return null;
    case 'holdings':
      return pool.holdings();
    case 'share':
      pool.share(request.elsewhere);
      return null;
    case 'guard':
      await pool.guard(request.rules);
      return null;
    case 'outlooks':
      return pool.outlooks(request.addresses);
    case 'drain':
      retiring = true;
      inherited.release();
      return pool.drain(request.timeoutMs, request);
    case 'alone':
      pool.alone();
      return null;
    case 'stop':
      await pool.stop();
      return null;
  }
}

async function start(request: Extract<EngineRequest, { type: 'start' }>): Promise<EngineReply> {
  const { ipc, revision, beside, prepare } = request;
  const { version } = JSON.parse(readFileSync(packageUrl('package.json'), 'utf8')) as { version: string };
  if (ipc !== IPC_VERSION) {
    throw new Error(
      `the engine of version ${version} and this daemon do not understand each other; restart the daemon`,
    );
  }
  pool = new Pool(revision, async (worker, workers) => inherited.of(worker, workers), { tell, report });
  const started = await pool.start({ beside });
  opened = !prepare;
  return { ...started, version };
}

async function open(paused: Pool): Promise<EngineReply> {
  inherited.release();
  const serving = await paused.open();
  opened = true;
  return serving;
}

process.on('message', (message: EngineRequest | SocketMessage, lent: unknown) => {
  if ('want' in message) {
    inherited.receive(message, lent as Parameters<Inherited['receive']>[1]);
    return;
  }
  handle(message)
    .then((value) => send({ type: 'reply', seq: message.seq, value }))
    .catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      send({ type: 'failure', seq: message.seq, code: errnoCode(error) ?? 'ENGINE', message: text });
    })
    .finally(() => {
      if (message.type === 'stop') setImmediate(() => process.exit(0));
      if (message.type === 'drain' && !process.connected) void end(0);
    });
});

async function end(drainMs: number): Promise<void> {
  retiring = true;
  inherited.release();
  await pool?.drain(drainMs, { gentle: false });
  await pool?.stop();
  process.exit(0);
}

// The daemon decides about Ctrl-C and hang-ups. When it dies, the sessions go on.
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);
process.on('disconnect', () => {
  // No daemon knows of it yet, or it was never shown to clients: nobody is left to decide about it.
  if (!opened) process.exit(0);
  pool?.orphaned();
  if (!inherited.holds || retiring) return;
  pool?.open().then(
    () => inherited.handedOut(),
    () => process.exit(1),
  );
});
process.on('SIGTERM', () => void end(SIGNAL_DRAIN_MS));

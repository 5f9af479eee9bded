import { errnoCode } from '../../lib/errors.ts';
import type { EngineEvent, EngineRevision } from '../supervisor/engine.ts';
import type { EngineMessage, EngineReply, EngineRequest } from '../supervisor/ipc.ts';
import { Pool } from './pool.ts';

/** Entry of the engine process: the supervisor's requests in, answers and events out. */

/** Time to drain when the process is told to end by signal, which is how a later daemon retires it. */
const SIGNAL_DRAIN_MS = 30_000;

let pool: Pool | null = null;

function send(message: EngineMessage): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

const tell = (event: EngineEvent): void => send({ type: 'event', event });

async function handle(request: EngineRequest): Promise<EngineReply> {
  if (request.type === 'start') return start(request.revision);
  if (pool === null) throw new Error('the engine has not been started');
  switch (request.type) {
    case 'apply':
      return pool.apply(request.revision);
    case 'stats':
      return pool.stats();
    case 'usage':
      return pool.usage();
    case 'allow':
      pool.allow(request.allowances);
      return null;
    case 'drain':
      return pool.drain(request.timeoutMs);
    case 'stop':
      await pool.stop();
      return null;
  }
}

async function start(revision: EngineRevision): Promise<EngineReply> {
  pool = new Pool(revision, tell);
  return pool.start();
}

process.on('message', (request: EngineRequest) => {
  handle(request)
    .then((value) => send({ type: 'reply', seq: request.seq, value }))
    .catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      send({ type: 'failure', seq: request.seq, code: errnoCode(error) ?? 'ENGINE', message });
    })
    .finally(() => {
      if (request.type === 'stop') setImmediate(() => process.exit(0));
    });
});

// The daemon decides about Ctrl-C and hang-ups. When it dies, the sessions go on.
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);
process.on('disconnect', () => undefined);
process.on('SIGTERM', () => {
  void (async () => {
    await pool?.drain(SIGNAL_DRAIN_MS);
    await pool?.stop();
    process.exit(0);
  })();
});

import { request } from 'node:http';
import type { z } from 'zod';
import { errnoCode, EXIT, type ExitStatus, MtpError } from '../errors.ts';
import type { Paths } from '../system/paths.ts';
import type {
  EngineReply,
  GuardReply,
  LogLevel,
  LogReply,
  Outlook,
  ReloadPlan,
  ReloadReply,
  StatusReply,
  StopReply,
  UsageReply,
} from './schema.ts';

const STATUS_MS = 5_000;
/** Who stops at once does not wait long for a daemon that hangs. */
const STOP_NOW_MS = 1_000;
/** A reload shakes hands once a changed user, each up to some seconds; another may come first. */
const RELOAD_MS = 240_000;

/** The state of the running daemon; undefined when none runs. */
export async function getStatus(paths: Paths): Promise<StatusReply | undefined> {
  const { statusReply } = await import('./schema.ts');
  return call(paths, 'GET', '/status', statusReply, STATUS_MS);
}

/** What a reload would do; undefined when no daemon runs. */
export async function planReload(paths: Paths): Promise<ReloadPlan | undefined> {
  const { reloadPlan } = await import('./schema.ts');
  return call(paths, 'GET', '/reload', reloadPlan, STATUS_MS);
}

/** What users did since the start of the running engine; undefined when no daemon runs. */
export async function getUsage(paths: Paths): Promise<UsageReply | undefined> {
  const { usageReply } = await import('./schema.ts');
  return call(paths, 'GET', '/usage', usageReply, STATUS_MS);
}

/** Have the running daemon read its files again; undefined when none runs. */
export async function reloadDaemon(paths: Paths, { handOver = false } = {}): Promise<ReloadReply | undefined> {
  const { reloadReply } = await import('./schema.ts');
  return call(paths, 'POST', '/reload', reloadReply, RELOAD_MS, { handOver });
}

/** Have the running daemon put another engine in the place of the running one; undefined when none runs. */
export async function renewEngine(
  paths: Paths,
  request: { action: 'upgrade' | 'rollback'; package?: string },
): Promise<EngineReply | undefined> {
  const { engineReply } = await import('./schema.ts');
  return call(paths, 'POST', '/engine', engineReply, RELOAD_MS, request);
}

/** The level of the log, and with `level` another one; undefined when no daemon runs. */
export async function logLevelOf(paths: Paths, level?: LogLevel): Promise<LogReply | undefined> {
  const { logReply } = await import('./schema.ts');
  return level === undefined
    ? call(paths, 'GET', '/log', logReply, STATUS_MS)
    : call(paths, 'POST', '/log', logReply, STATUS_MS, { level });
}

/** Have the engine take a connection of ours, open and silent so far, for nobody's; false where no daemon runs. */
export async function claimConnection(paths: Paths, from: { host: string; port: number }): Promise<boolean> {
  const { claimReply } = await import('./schema.ts');
  return (await call(paths, 'POST', '/claim', claimReply, STATUS_MS, { from }))?.claimed ?? false;
}

/** Have the running daemon and its engine go by the bans that the ledger has now; undefined when none runs. */
export async function reloadGuard(paths: Paths): Promise<GuardReply | undefined> {
  const { guardReply } = await import('./schema.ts');
  return call(paths, 'POST', '/guard', guardReply, STATUS_MS);
}

/** What the running engine does with each of these addresses; undefined when no daemon runs. */
export async function getOutlooks(paths: Paths, addresses: string[]): Promise<Outlook[] | undefined> {
  const { outlooksReply } = await import('./schema.ts');
  const reply = await call(paths, 'POST', '/guard/outlooks', outlooksReply, STATUS_MS, { addresses });
  return reply?.outlooks;
}

/** Order the daemon to stop; undefined when none runs. It answers before it does. */
export async function stopDaemon(paths: Paths, { now }: { now: boolean }): Promise<StopReply | undefined> {
  const { stopReply } = await import('./schema.ts');
  return call(paths, 'POST', '/stop', stopReply, now ? STOP_NOW_MS : STATUS_MS, { now });
}

export type Notified =
  { running: false } | ({ running: true } & Pick<ReloadReply, 'revision' | 'proofs' | 'untried' | 'connections'>);

/** Tell the daemon, if one runs, that a file changed, and hear what it serves now and how it proved that. */
export async function notifyDaemon(paths: Paths): Promise<Notified> {
  const reply = await reloadDaemon(paths);
  if (reply === undefined) return { running: false };
  const { revision, proofs, untried, connections } = reply;
  return { running: true, revision, proofs, untried, connections };
}

async function call<Schema extends z.ZodType>(
  { socket }: Paths,
  method: string,
  path: string,
  schema: Schema,
  timeoutMs: number,
  body?: object,
): Promise<z.infer<Schema> | undefined> {
  let answer: { status: number; body: string };
  try {
    answer = await exchange(socket, method, path, timeoutMs, body);
  } catch (error) {
    const code = errnoCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ECONNREFUSED') return undefined;
    if (code === 'EACCES') {
      throw new MtpError('CONTROL_EACCES', `the control socket ${socket} belongs to another user`, {
        exit: EXIT.needsRoot,
        hint: 'Run as root or as the user that runs the daemon.',
        cause: error,
      });
    }
    throw new MtpError('CONTROL', `the daemon does not answer on ${socket}`, {
      exit: EXIT.temporary,
      hint: 'Try again; if it stays, restart the daemon.',
      cause: error,
    });
  }
  const { failureReply } = await import('./schema.ts');
  const json = parse(answer.body);
  if (answer.status !== 200) {
    const failure = failureReply.safeParse(json).data?.error;
    if (failure === undefined) throw foreign(socket);
    const { code, message, hint, exit } = failure;
    throw new MtpError(code, message, { exit: exit as ExitStatus, ...(hint === undefined ? {} : { hint }) });
  }
  const reply = schema.safeParse(json);
  if (!reply.success) throw foreign(socket, reply.error);
  return reply.data;
}

async function exchange(
  socketPath: string,
  method: string,
  path: string,
  timeoutMs: number,
  sent: object | undefined,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = sent === undefined ? {} : { 'content-type': 'application/json' };
    const signal = AbortSignal.timeout(timeoutMs);
    const outgoing = request({ socketPath, method, path, headers, signal }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(sent === undefined ? undefined : JSON.stringify(sent));
  });
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function foreign(socket: string, cause?: unknown): MtpError {
  return new MtpError('CONTROL_FOREIGN', `what answers on ${socket} does not speak like this version of mtp`, {
    cause,
    hint: 'Restart the daemon after an upgrade.',
  });
}

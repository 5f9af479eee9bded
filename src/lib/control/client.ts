import { request } from 'node:http';
import type { z } from 'zod';
import { errnoCode, EXIT, type ExitStatus, MtpError } from '../errors.ts';
import type { Paths } from '../system/paths.ts';
import type { Proof, ReloadReply, StatusReply } from './schema.ts';

const STATUS_MS = 5_000;
/** A reload shakes hands once a changed user, each up to some seconds. */
const RELOAD_MS = 120_000;

/** The state of the running daemon; undefined when none runs. */
export async function getStatus(paths: Paths): Promise<StatusReply | undefined> {
  const { statusReply } = await import('./schema.ts');
  return call(paths, 'GET', '/status', statusReply, STATUS_MS);
}

/** Have the running daemon read its files again; undefined when none runs. */
export async function reloadDaemon(paths: Paths): Promise<ReloadReply | undefined> {
  const { reloadReply } = await import('./schema.ts');
  return call(paths, 'POST', '/reload', reloadReply, RELOAD_MS);
}

export type Notified = { running: false } | { running: true; revision: string; proofs: Proof[]; untried: number };

/** Tell the daemon, if one runs, that a file changed, and hear what it serves now and how it proved that. */
export async function notifyDaemon(paths: Paths): Promise<Notified> {
  const reply = await reloadDaemon(paths);
  if (reply === undefined) return { running: false };
  const { revision, proofs, untried } = reply;
  return { running: true, revision, proofs, untried };
}

async function call<Schema extends z.ZodType>(
  { socket }: Paths,
  method: string,
  path: string,
  schema: Schema,
  timeoutMs: number,
): Promise<z.infer<Schema> | undefined> {
  let answer: { status: number; body: string };
  try {
    answer = await exchange(socket, method, path, timeoutMs);
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
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end();
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

import { chmod, unlink } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { type FastifyInstance, fastify } from 'fastify';
import { failureJson, toMtpError } from '../../lib/cli/failure.ts';
import {
  claimReply,
  claimRequest,
  engineReply,
  type EngineReply,
  engineRequest,
  guardReply,
  type GuardReply,
  logReply,
  type LogReply,
  logRequest,
  type Outlook,
  outlooksReply,
  outlooksRequest,
  reloadPlan,
  type ReloadPlan,
  reloadReply,
  type ReloadReply,
  reloadRequest,
  statusReply,
  type StatusReply,
  stopReply,
  type StopReply,
  stopRequest,
  usageReply,
  type UsageReply,
} from '../../lib/control/schema.ts';
import { errnoCode, EXIT, MtpError } from '../../lib/errors.ts';
import { ensureDirectory, fileError } from '../../lib/system/files.ts';
import type { z } from '../../lib/system/zod.ts';

export interface ControlActions {
  status: () => Promise<StatusReply>;
  usage: () => Promise<UsageReply>;
  /** What a reload would do. */
  plan: () => Promise<ReloadPlan>;
  reload: (request: z.infer<typeof reloadRequest>) => Promise<ReloadReply>;
  engine: (request: z.infer<typeof engineRequest>) => Promise<EngineReply>;
  /** A handshake that a command is about to make is nobody's use of a secret. */
  claim: (request: z.infer<typeof claimRequest>) => Promise<z.infer<typeof claimReply>>;
  /** Go by the bans that the ledger has now. */
  guard: () => Promise<GuardReply>;
  outlooks: (addresses: string[]) => Promise<Outlook[]>;
  /** The level of the log, and with a request another one. */
  log: (request?: z.infer<typeof logRequest>) => Promise<LogReply>;
  stop: (request: z.infer<typeof stopRequest>) => Promise<StopReply>;
}

/** sun_path holds 108 bytes with the closing zero (unix(7)). */
const SOCKET_PATH_MAX = 107;

/** Serve the control API on a unix socket that only its owner can open. */
export async function startControl(socket: string, actions: ControlActions): Promise<FastifyInstance> {
  if (Buffer.byteLength(socket) > SOCKET_PATH_MAX) {
    throw new MtpError(
      'SOCKET_PATH',
      `the path of the control socket is longer than ${SOCKET_PATH_MAX} bytes: ${socket}`,
      {
        exit: EXIT.precondition,
        hint: 'Choose a shorter directory with --home.',
      },
    );
  }
  await ensureDirectory(path.dirname(socket));
  const app = fastify({ logger: false, forceCloseConnections: true });
  app.get('/status', async () => statusReply.parse(await actions.status()));
  app.get('/usage', async () => usageReply.parse(await actions.usage()));
  app.get('/reload', async () => reloadPlan.parse(await actions.plan()));
  app.post('/reload', async ({ body }) => reloadReply.parse(await actions.reload(reloadRequest.parse(body ?? {}))));
  app.post('/engine', async ({ body }) => engineReply.parse(await actions.engine(engineRequest.parse(body))));
  app.post('/claim', async ({ body }) => claimReply.parse(await actions.claim(claimRequest.parse(body))));
  app.post('/guard', async () => guardReply.parse(await actions.guard()));
  app.post('/guard/outlooks', async ({ body }) => {
    const { addresses } = outlooksRequest.parse(body);
    return outlooksReply.parse({ outlooks: await actions.outlooks(addresses) });
  });
  app.get('/log', async () => logReply.parse(await actions.log()));
  app.post('/log', async ({ body }) => logReply.parse(await actions.log(logRequest.parse(body))));
  app.post('/stop', async ({ body }) => stopReply.parse(await actions.stop(stopRequest.parse(body ?? {}))));
  app.setNotFoundHandler(async (_request, reply) => {
    await reply.code(404).send({ error: { code: 'NOT_FOUND', message: 'there is no such route', exit: 1 } });
  });
  app.setErrorHandler(async (thrown, _request, reply) => {
    await reply.code(500).send(failureJson(toMtpError(thrown)));
  });
  await removeStale(socket);
  // The mask keeps the socket closed to others in the moment between bind and chmod.
  const mask = process.umask(0o177);
  try {
    await app.listen({ path: socket });
  } catch (error) {
    throw fileError('listen on', socket, error);
  } finally {
    process.umask(mask);
  }
  await chmod(socket, 0o600);
  return app;
}

/** A socket file that nobody answers on is what a killed daemon left; one that answers is never removed. */
async function removeStale(socket: string): Promise<void> {
  if (await answers(socket)) return;
  await unlink(socket).catch((error: unknown) => {
    if (errnoCode(error) !== 'ENOENT') throw fileError('remove', socket, error);
  });
}

async function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect(socket);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => resolve(errnoCode(error) === 'EACCES'));
  });
}

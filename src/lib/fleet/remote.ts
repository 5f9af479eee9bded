import { randomBytes } from 'node:crypto';
import { EXIT, type ExitStatus, MtpError } from '../errors.ts';
import { lastWords } from '../system/exec.ts';
import { z } from '../system/zod.ts';
import type { UserDigest } from '../users/digest.ts';
import type { Host } from './hosts.ts';
import { type Connection, connect, sshFailure } from './ssh.ts';

/** The `mtp` of another host. Secrets go through standard input and output only. */
export interface Remote {
  host: Host;
  /** Run one of its commands; what it answers under `--json` has to fit. An error of its own is thrown as one of ours. */
  ask: <Schema extends z.ZodType>(args: string[], schema: Schema, input?: string) => Promise<z.infer<Schema>>;
}

const failureReply = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional(), exit: z.number() }),
});
/** Of a shell that finds no such program. */
const NOT_FOUND = 127;
/** Of ssh itself. */
const SSH_FAILED = 255;

/** Do something with the `mtp` of a host. */
export async function withRemote<Result>(host: Host, action: (remote: Remote) => Promise<Result>): Promise<Result> {
  const connection = await connect(host);
  try {
    return await action({ host, ask: async (args, schema, input) => ask(host, connection, args, schema, input) });
  } finally {
    await connection.close();
  }
}

async function ask<Schema extends z.ZodType>(
  host: Host,
  connection: Connection,
  args: string[],
  schema: Schema,
  input?: string,
): Promise<z.infer<Schema>> {
  const home = host.home === null ? [] : ['--home', host.home];
  const command = [...(host.sudo ? ['sudo', '-n', '--'] : []), host.command, ...args, ...home, '--json'];
  const ran = await connection.run(command, input);
  const json = parse(ran.stdout);
  const failure = failureReply.safeParse(json).data?.error;
  if (failure !== undefined) {
    const { code, message, hint, exit } = failure;
    throw new MtpError(code, `${host.name}: ${message}`, {
      exit: exit as ExitStatus,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  const reply = schema.safeParse(json);
  if (reply.success) return reply.data;
  throw misfit(host, ran, args);
}

function misfit(host: Host, ran: Parameters<typeof lastWords>[0], args: string[]): MtpError {
  if (ran.status === SSH_FAILED || ran.status === null) return sshFailure(host, ran.stderr);
  if (ran.status === NOT_FOUND) {
    return new MtpError('REMOTE_MTP', `${host.name}: there is no ${host.command} there`, {
      exit: EXIT.precondition,
      hint: 'Install mtp there, or say where it is: mtp fleet add HOST --mtp PATH',
    });
  }
  // What it printed could hold secrets; what it complained of does not.
  const words = lastWords({ ...ran, stdout: '' });
  return new MtpError('REMOTE_FOREIGN', `${host.name}: "mtp ${args.join(' ')}" was not understood: ${words}`, {
    exit: EXIT.failed,
    hint: 'Install the same version of mtp there.',
  });
}

const digestReply = z.object({
  version: z.string(),
  users: z.array(
    z.object({
      name: z.string(),
      profile: z.string(),
      secrets: z.array(
        z.object({
          hash: z.string(),
          state: z.enum(['active', 'retiring', 'draining', 'revoked']),
          until: z.number().nullable(),
          networks: z.number().nullable(),
        }),
      ),
    }),
  ),
});

/** Digests of the users there, under this key of 32 bytes in hex. */
export async function askDigests({ ask }: Remote, key: string): Promise<{ version: string; users: UserDigest[] }> {
  return ask(['user', 'digest', '--key-file', '-'], digestReply, key);
}

/** A key for one comparison. */
export function makeDigestKey(): string {
  return randomBytes(32).toString('hex');
}

const statusReply = z.object({
  revision: z.string(),
  engine: z.object({ state: z.string(), lastError: z.object({ message: z.string() }).nullable() }),
});

/** How the proxy there does; null where none runs. */
export async function askStatus({ ask }: Remote): Promise<z.infer<typeof statusReply> | null> {
  return ask(['status'], statusReply).catch((error: unknown) => {
    if (error instanceof MtpError && (error.code === 'NOT_RUNNING' || error.code === 'NO_DAEMON')) return null;
    throw error;
  });
}

const importReply = z.object({
  imported: z.number(),
  replaced: z.number(),
  removed: z.number(),
  faults: z.array(z.object({ line: z.number(), fault: z.string() })),
  effect: z
    .object({
      running: z.boolean(),
      revision: z.string().nullable(),
      proofs: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
      sentence: z.string(),
    })
    .nullable(),
});

export type Pushed = z.infer<typeof importReply>;

/** Have users there become those of a CSV text; with `removeOthers` nobody else stays. Its own proxy proves it by handshakes. */
export async function push(
  { ask, host }: Remote,
  csv: string,
  { removeOthers }: { removeOthers: boolean },
): Promise<Pushed> {
  const others = removeOthers ? ['--remove-others', '--yes'] : [];
  const pushed = await ask(['user', 'import', '-', '--replace', ...others], importReply, csv);
  const [fault] = pushed.faults;
  if (fault === undefined) return pushed;
  throw new MtpError('REMOTE_REFUSED', `${host.name} did not take the users over: ${fault.fault}`, {
    exit: EXIT.failed,
    hint: `Put it right there, or make it the same with: mtp fleet sync ${host.name}`,
  });
}

const linkReply = z.object({
  mode: z.enum(['plain', 'dd', 'ee']),
  secret: z.string(),
  tg: z.string(),
  https: z.string(),
  server: z.string(),
  port: z.number(),
  reach: z.enum(['public', 'private', 'loopback']),
  warnings: z.array(z.string()),
});

export type RemoteLink = z.infer<typeof linkReply>;

/** The link of a user as that host hands it out. */
export async function askLink({ ask, host }: Remote, user: string): Promise<RemoteLink> {
  const server = host.address === null ? [] : ['--server', host.address];
  return ask(['link', user, '--no-qr', ...server], linkReply);
}

/** Whatever a login script prints comes before. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text.slice(Math.max(0, text.indexOf('{'))));
  } catch {
    return undefined;
  }
}

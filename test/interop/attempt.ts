import net from 'node:net';
import { parseArgs, type ParseArgsConfig } from 'node:util';

/** What the scripts of this directory share: the link and options they are given, and how they report. */

export interface Request {
  server: string;
  port: number;
  secret: string;
  timeoutMs: number;
  /** The outcome that is a success: Telegram answers, or it does not. */
  expected: 'answer' | 'refuse';
  /** DC as in the opening: 10000 + n for a test one, negative for media. */
  dc: number;
  /** File with the public key of a data centre that is not Telegram's own. */
  dcKey: string | undefined;
}

interface Outcome {
  ok: boolean;
  ms: number;
  /** The data centre that says that it answered. */
  dc?: number;
  country?: string;
  error?: string;
}

const OPTIONS = {
  timeout: { type: 'string', default: '15' },
  expect: { type: 'string', default: 'answer' },
  dc: { type: 'string', default: '2' },
  'dc-key': { type: 'string' },
} satisfies ParseArgsConfig['options'];

/** Read the command line. One that cannot be tried ends the process with 64: it says nothing about a proxy. */
export function readRequest(args = process.argv.slice(2)): Request {
  try {
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options: OPTIONS });
    const { searchParams } = new URL(positionals[0] ?? '');
    const [server, secret] = [searchParams.get('server') ?? '', searchParams.get('secret') ?? ''];
    const [port, timeout, dc] = [searchParams.get('port'), values.timeout, values.dc].map(Number) as [
      number,
      number,
      number,
    ];
    const { expect: expected, 'dc-key': dcKey } = values;
    if (server === '' || !(port > 0 && port < 65_536) || !isSecret(secret)) throw new Error('the link is not whole');
    if (expected !== 'answer' && expected !== 'refuse') throw new Error('--expect is answer or refuse');
    if (!(timeout > 0) || !Number.isInteger(dc)) throw new Error('--timeout and --dc are numbers');
    return { server, port, secret, timeoutMs: timeout * 1000, expected, dc, dcKey };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(64);
  }
}

/** Lengths and prefixes that clients take (protocol.md §1.1). */
function isSecret(text: string): boolean {
  const hex = text.length % 2 === 0 && /^[0-9a-f]+$/i.test(text);
  const bytes = Buffer.from(text, hex ? 'hex' : 'base64url');
  if (bytes.length <= 17) return bytes.length === 16 || (bytes.length === 17 && bytes[0] === 0xdd);
  return bytes[0] === 0xee;
}

/**
 * Make the attempt, print its outcome as one line of JSON and end the process: with 0 when the outcome is the expected one,
 * else with 1. A port where nothing listens is never an expected refusal.
 */
export async function report(
  client: string,
  request: Request,
  attempt: () => Promise<{ dc?: number; country?: string }>,
): Promise<never> {
  const from = performance.now();
  const outcome = (ok: boolean, more: Partial<Outcome>): Outcome => ({
    ok,
    ms: Math.round(performance.now() - from),
    ...more,
  });
  const finish = (result: Outcome, status: number): never => {
    process.stdout.write(`${JSON.stringify({ client, ...result })}\n`);
    process.exit(status);
  };
  const wanted = (ok: boolean): number => (ok === (request.expected === 'answer') ? 0 : 1);
  setTimeout(() => finish(outcome(false, { error: 'no answer in time' }), wanted(false)), request.timeoutMs);
  const reached = await reach(request);
  if (reached !== null) return finish(outcome(false, { error: `cannot connect to the proxy: ${reached}` }), 1);
  try {
    return finish(outcome(true, await attempt()), wanted(true));
  } catch (error) {
    const message = error instanceof Error ? error.message : JSON.stringify(error);
    return finish(outcome(false, { error: message }), wanted(false));
  }
}

/** Null when the port accepts connections, else why not. */
async function reach({ server, port, timeoutMs }: Request): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: server, port, timeout: timeoutMs / 2 }, () => {
      socket.destroy();
      resolve(null);
    });
    socket.on('timeout', () => resolve('no answer in time'));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

import type { IncomingMessage } from 'node:http';
import { readFile, stat } from 'node:fs/promises';
import { EXIT, MtpError } from '../errors.ts';
import { reasonOf } from '../probe/wire.ts';
import { fileError } from '../system/files.ts';

/** Content of a feed, and what its server wants to hear when it is asked again. */
export interface Fetched {
  content: Buffer;
  /** Media type, in small letters; empty for a file. */
  type: string;
  etag: string | null;
  lastModified: string | null;
}

export interface FetchEdges {
  timeoutMs: number;
  /** Certificates that are trusted; those of Node where it is not given. */
  ca?: string | undefined;
}

/** Ten times the largest list that fits. */
export const MOST_BYTES = 16 * 2 ** 20;
const MOST_REDIRECTS = 3;
const HTTPS = 'https://';

export const FETCH: FetchEdges = { timeoutMs: 60_000 };

/** Read a file or ask a server; null where that says that nothing changed since `known`. */
export async function fetchFeed(
  source: string,
  known: { etag: string | null; lastModified: string | null },
  edges: FetchEdges,
): Promise<Fetched | null> {
  return isUrl(source) ? download(source, known, edges) : readSource(source);
}

export function isUrl(source: string): boolean {
  return source.startsWith(HTTPS);
}

async function readSource(file: string): Promise<Fetched> {
  try {
    const found = await stat(file);
    if (!found.isFile()) throw new MtpError('FEED_NO_FILE', `${file} is no plain file`, { exit: EXIT.precondition });
    if (found.size > MOST_BYTES) throw tooLarge(file);
    return { content: await readFile(file), type: '', etag: null, lastModified: null };
  } catch (error) {
    throw fileError('read', file, error);
  }
}

async function download(
  source: string,
  { etag, lastModified }: { etag: string | null; lastModified: string | null },
  { timeoutMs, ca }: FetchEdges,
): Promise<Fetched | null> {
  const signal = AbortSignal.timeout(timeoutMs);
  const headers = {
    accept: 'text/plain, */*;q=0.5',
    'user-agent': 'mtp',
    ...(etag === null ? {} : { 'if-none-match': etag }),
    ...(lastModified === null ? {} : { 'if-modified-since': lastModified }),
  };
  try {
    let url = source;
    for (let left = MOST_REDIRECTS; ; left--) {
      const response = await ask(url, { headers, signal, ca });
      const { statusCode: status = 0, headers: answered } = response;
      if (status === 200) {
        const content = await readBounded(response, source);
        const type = (answered['content-type'] ?? '').toLowerCase();
        return { content, type, etag: answered.etag ?? null, lastModified: answered['last-modified'] ?? null };
      }
      response.destroy();
      if (status === 304) return null;
      if (![301, 302, 303, 307, 308].includes(status)) throw unreachable(source, `it answers with status ${status}`);
      if (left === 0) throw unreachable(source, `it leads on more than ${MOST_REDIRECTS} times`);
      url = new URL(answered.location ?? '', url).href;
      if (!isUrl(url)) throw unreachable(source, 'it leads on to an address without https');
    }
  } catch (error) {
    if (error instanceof MtpError) throw error;
    throw unreachable(source, signal.aborted ? `no answer within ${timeoutMs / 1000} s` : reasonOf(error), error);
  }
}

async function ask(
  url: string,
  options: { headers: Record<string, string>; signal: AbortSignal; ca: string | undefined },
): Promise<IncomingMessage> {
  const { get } = await import('node:https');
  return new Promise((resolve, reject) => {
    get(url, { ...options, agent: false }, resolve).on('error', reject);
  });
}

async function readBounded(response: IncomingMessage, source: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > MOST_BYTES) throw tooLarge(source);
  }
  if (!response.complete) throw unreachable(source, 'it ended in the middle');
  return Buffer.concat(chunks);
}

function tooLarge(source: string): MtpError {
  return new MtpError('FEED_LARGE', `${source} has more than ${MOST_BYTES / 2 ** 20} MB`, { exit: EXIT.precondition });
}

function unreachable(source: string, why: string, cause?: unknown): MtpError {
  return new MtpError('FEED_UNREACHABLE', `${source} cannot be had: ${why}`, {
    cause,
    exit: EXIT.temporary,
    hint: 'Look at it with a browser, and try again.',
  });
}

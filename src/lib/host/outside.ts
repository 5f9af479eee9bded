import type { IncomingMessage } from 'node:http';
import { ipFamily } from '../protocol/ip-address.ts';
import { reasonOf } from '../probe/wire.ts';

/** What a web service answered that tells callers their address. */
export type OutsideAnswer =
  | { url: string; ok: true; address: string; /** How far our clock is ahead of its, in ms. */ driftMs: number | null }
  | { url: string; ok: false; reason: string };

/** Services of two operators, so that one of them alone cannot put a wrong address into links. */
export const ADDRESS_URLS = ['https://api.ipify.org', 'https://checkip.amazonaws.com'];

const TIMEOUT_MS = 5_000;
/** Longer than any address; a page of HTML is none. */
const LONGEST_ANSWER = 64;

/** Ask one service over one family of addresses. Nothing is sent but the request. */
export async function askOutside(url: string, family: 4 | 6, now: () => number): Promise<OutsideAnswer> {
  try {
    const { get } = url.startsWith('http:') ? await import('node:http') : await import('node:https');
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { family, agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) }, resolve).on('error', reject);
    });
    const text = (await readSome(response)).trim();
    if (response.statusCode !== 200)
      return { url, ok: false, reason: `it answers with status ${response.statusCode ?? 0}` };
    if (ipFamily(text) !== family) return { url, ok: false, reason: `its answer is no IPv${family} address` };
    const date = Date.parse(response.headers.date ?? '');
    // The header counts whole seconds: on average half a second has passed since.
    return { url, ok: true, address: text, driftMs: Number.isNaN(date) ? null : now() - (date + 500) };
  } catch (error) {
    const late = error instanceof Error && error.name === 'TimeoutError';
    return { url, ok: false, reason: late ? 'no answer' : reasonOf(error) };
  }
}

async function readSome(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    text += String(chunk);
    if (text.length > LONGEST_ANSWER) response.destroy();
    if (text.length > LONGEST_ANSWER) break;
  }
  return text;
}

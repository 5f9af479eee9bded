import { type HandshakeVerdict, probeHandshake } from '../probe/handshake.ts';
import type { ProbeEdges } from '../probe/dc.ts';
import type { SecretMode } from '../secret/secret.ts';
import type { Found } from './found.ts';

/** How one secret fares with whoever listens. */
export interface LinkTry {
  /** Which of the secrets, by its place. */
  at: number;
  mode: SecretMode;
  accepted: boolean;
  detail: string;
}

/** Handshakes that are tried at most: a proxy may have thousands of secrets. */
const TRIED_AT_MOST = 16;

/** Shake hands with each secret, or with some of many, in the first kind of link that is accepted. */
export async function tryLinks(found: Found, edges: ProbeEdges): Promise<LinkTry[]> {
  const tries: LinkTry[] = [];
  for (const at of found.secrets.slice(0, TRIED_AT_MOST).keys()) {
    let best: LinkTry | undefined;
    for (const mode of found.modes) {
      best = await tryLink(found, at, mode, edges);
      if (best.accepted) break;
    }
    if (best !== undefined) tries.push(best);
  }
  return tries;
}

/** Shake hands with one secret in one kind of link. */
export async function tryLink(found: Found, at: number, mode: SecretMode, edges: ProbeEdges): Promise<LinkTry> {
  const key = found.secrets[at]?.key ?? Buffer.alloc(16);
  const domain = textOf(found, 'cover.domain') ?? '';
  const verdict = await probeHandshake(addressOf(found), { mode, key, domain }, edges);
  return { at, mode, accepted: isAccepted(verdict, mode), detail: verdict.detail };
}

/** In ee the server proves that it knows the secret; in the other kinds only an answer of Telegram shows it. */
function isAccepted({ layer }: HandshakeVerdict, mode: SecretMode): boolean {
  return layer === 'works' || (mode === 'ee' && layer === 'dc');
}

/** Where the other proxy listens, as one dials it from here. */
export function addressOf(found: Found): { host: string; port: number } {
  const host = textOf(found, 'listen.host') ?? '0.0.0.0';
  return { host: ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host, port: Number(valueOf(found, 'listen.port')) };
}

function textOf(found: Found, key: string): string | undefined {
  const value = valueOf(found, key);
  return typeof value === 'string' ? value : undefined;
}

function valueOf(found: Found, key: string): unknown {
  return found.edits.findLast((edit) => edit.key === key)?.value;
}

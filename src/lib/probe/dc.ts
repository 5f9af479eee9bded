import { makeHeader } from '../protocol/obfuscated2.ts';
import type { Random } from './client-hello.ts';
import { ANSWER_BYTES, answersPq, askForPq } from './res-pq.ts';
import { type ProbeTarget, ProbeFailure, ProbeSocket, reasonOf, type Via } from './wire.ts';

export interface ProbeEdges {
  timeoutMs: number;
  random: Random;
  /** Unix time in ms. */
  now: () => number;
  /** How DCs are reached; covers and our own listener are always dialled directly. */
  via?: Via;
}

export type DcVerdict = { ok: true; ms: number } | { ok: false; reason: string };

/** Ask a DC for a resPQ. `ms` is the time from dialling to its answer. */
export async function probeDc(target: ProbeTarget, dc: number, edges: ProbeEdges): Promise<DcVerdict> {
  const from = edges.now();
  let socket: ProbeSocket | undefined;
  try {
    socket = await ProbeSocket.openVia(target, edges.timeoutMs, edges.via);
    const header = makeHeader({ transport: 'padded', dc, random: edges.random, secret: null });
    const { frame, nonce } = askForPq(edges.random, edges.now);
    socket.write(Buffer.concat([header.wire, header.up.apply(frame)]));
    const answer = header.down.apply(await socket.read(ANSWER_BYTES));
    if (!answersPq(answer, nonce)) throw new ProbeFailure('the answer is not that of a Telegram server');
    return { ok: true, ms: edges.now() - from };
  } catch (error) {
    return { ok: false, reason: reasonOf(error) };
  } finally {
    socket?.close();
  }
}

import type { Random } from '../../fuzz/random.ts';
import { Peer, type Target } from '../../support/raw-client.ts';

/** What a stranger does, fixed before it starts, so that it can be done twice. */
export interface Script {
  pieces: { bytes: Buffer; pauseMs: number }[];
  /** How it leaves once everything is sent: it waits, says FIN, or resets. */
  end: 'wait' | 'fin' | 'reset';
  /** How long it reads nothing. */
  stallMs: number;
}

export interface Outcome {
  received: Buffer;
  /** `fin`, or the error that ended it. */
  end: string | null;
}

export function scriptFor(bytes: Buffer, random: Random): Script {
  const pieces: Script['pieces'] = [];
  for (let at = 0; at < bytes.length;) {
    const size = random.oneIn(3) ? 1 + random.below(8) : 1 + random.below(bytes.length);
    // Few pauses, and shorter together than the cover's patience.
    const pauseMs = random.oneIn(4) && pieces.length < 8 ? random.below(50) : 0;
    pieces.push({ bytes: bytes.subarray(at, pieces.length > 40 ? undefined : at + size), pauseMs });
    at = pieces.length > 41 ? bytes.length : at + size;
  }
  const end = random.oneIn(8) ? 'reset' : random.oneIn(2) ? 'fin' : 'wait';
  return { pieces, end, stallMs: random.oneIn(4) ? random.below(400) : 0 };
}

export async function perform(target: Target, { pieces, end, stallMs }: Script): Promise<Outcome> {
  const peer = await Peer.open(target, { allowHalfOpen: true });
  if (stallMs > 0) {
    peer.socket.pause();
    setTimeout(() => peer.socket.resume(), stallMs);
  }
  for (const { bytes, pauseMs } of pieces) {
    if (peer.ended !== null) break;
    peer.send(bytes);
    await new Promise((resolve) => (pauseMs > 0 ? setTimeout(resolve, pauseMs) : setImmediate(resolve)));
  }
  if (end === 'reset') {
    peer.socket.resetAndDestroy();
    return { received: Buffer.alloc(0), end: 'reset' };
  }
  if (end === 'fin') peer.socket.end();
  const ended = await peer.end(10_000);
  peer.close();
  return { received: peer.received, end: ended };
}

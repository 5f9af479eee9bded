import { randomBytes } from 'node:crypto';
import type { Random } from '../../fuzz/random.ts';
import { connectEe, type Target } from '../../support/raw-client.ts';

/** A client that behaves, in a hurry or slowly; resolves to what went wrong, or null. `target` leads to an echo. */
export async function echoThrough(target: Target, key: Buffer, random: Random): Promise<string | null> {
  const session = await connectEe(target, { key, dc: random.pick([1, 2, 4, -2]), postQuantum: random.oneIn(2) });
  if (session === null) return 'a client was refused';
  for (let turn = 1 + random.below(4); turn > 0; turn--) {
    const data = randomBytes(1 + random.below(random.oneIn(4) ? 400_000 : 4000));
    if (random.oneIn(3)) session.peer.socket.pause();
    for (let at = 0; at < data.length;) {
      const size = 1 + random.below(data.length);
      session.send(data.subarray(at, at + size), 1 + random.below(16_384));
      at += size;
      if (random.oneIn(2)) await new Promise((resolve) => setTimeout(resolve, random.below(20)));
    }
    session.peer.socket.resume();
    const back = await session.read(data.length, 20_000);
    if (back?.equals(data) !== true) return `${data.length} bytes came back as ${session.plain.length} others`;
  }
  if (random.oneIn(2)) session.peer.close();
  else session.peer.socket.resetAndDestroy();
  return null;
}

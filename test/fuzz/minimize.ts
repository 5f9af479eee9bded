const TRIES = 3000;
const LIMIT_MS = 10_000;

/** A short input that still fails: pieces are cut out, the longest first, then bytes are made zero. */
export async function smallest(input: Buffer, fails: (candidate: Buffer) => Promise<boolean>): Promise<Buffer> {
  const deadline = performance.now() + LIMIT_MS;
  let best = input;
  let tries = 0;
  const better = async (candidate: Buffer): Promise<boolean> => {
    if (tries++ > TRIES || performance.now() > deadline || !(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let size = best.length; size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length;) {
      if (!(await better(Buffer.concat([best.subarray(0, at), best.subarray(at + size)])))) at += size;
    }
  }
  for (let at = 0; at < best.length; at++) {
    if (best[at] === 0) continue;
    const candidate = Buffer.from(best);
    candidate[at] = 0;
    await better(candidate);
  }
  return best;
}

import path from 'node:path';
import { exists } from '../host/machine.ts';
import { writeAtomic } from '../system/files.ts';

const markFile = (dir: string): string => path.join(dir, 'in-force.json');

/** Note that rules of ours were put into force. `dir` is where the firewall keeps its things. */
export async function markInForce(dir: string): Promise<void> {
  await writeAtomic(markFile(dir), `${JSON.stringify({ version: 1, since: new Date().toISOString() })}\n`);
}

/** Whether rules of ours were put into force and not removed since. */
export async function isInForce(dir: string): Promise<boolean> {
  return exists(markFile(dir));
}

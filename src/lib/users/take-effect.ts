import { notifyDaemon } from '../control/client.ts';
import type { Proof } from '../control/schema.ts';
import { MtpError } from '../errors.ts';
import type { Paths } from '../system/paths.ts';

/** What became of a change to the users in the running proxy. */
export interface Effect {
  running: boolean;
  /** The revision that the engine confirmed; null when no proxy runs. */
  revision: string | null;
  proofs: Proof[];
  /** The same in words. */
  sentence: string;
}

/** Have the running proxy take over a saved change, and report what it proved. A proof that failed is an error. */
export async function takeEffect(paths: Paths, change: 'added' | 'removed', name: string): Promise<Effect> {
  const notified = await notifyDaemon(paths).catch((error: unknown): never => {
    if (!(error instanceof MtpError)) throw error;
    const { code, message, hint, exit } = error;
    throw new MtpError(code, `${name} is ${change}, but the running proxy was not told: ${message}`, {
      cause: error,
      exit,
      ...(hint === undefined ? {} : { hint }),
    });
  });
  if (!notified.running) {
    const consequence =
      change === 'added' ? `${name} can connect once it is started` : `${name} is not let in any more`;
    return { running: false, revision: null, proofs: [], sentence: `No proxy is running here; ${consequence}.` };
  }
  const { revision, proofs } = notified;
  const failed = proofs.filter(({ ok }) => !ok);
  if (failed.length > 0) {
    throw new MtpError(
      'NOT_PROVED',
      `${name} is ${change}, but the running proxy does not show it: ${inWords(failed)}`,
      {
        hint: 'See what the proxy reports with: mtp status',
      },
    );
  }
  const shown =
    proofs.length > 0
      ? `The running proxy shows it: ${inWords(proofs)}.`
      : `The running proxy serves revision ${revision.slice(0, 12)}; no handshake was tried.`;
  return { running: true, revision, proofs, sentence: shown };
}

function inWords(proofs: Proof[]): string {
  return proofs.map(({ name, detail }) => `${name}: ${detail}`).join('; ');
}

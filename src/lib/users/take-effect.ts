import { notifyDaemon } from '../control/client.ts';
import type { Proof, ReloadReply } from '../control/schema.ts';
import { MtpError } from '../errors.ts';
import type { Paths } from '../system/paths.ts';

/** What became of a change to the users in the running proxy. */
export interface Effect {
  running: boolean;
  /** The revision that the engine confirmed; null when no proxy runs. */
  revision: string | null;
  proofs: Proof[];
  /** Clients before and after, and how many were cut; null when no proxy runs. */
  connections: ReloadReply['connections'];
  /** The proofs in words. */
  sentence: string;
}

/** A change that is kept, in words. */
export interface KeptChange {
  /** Such as `bob is added`. */
  done: string;
  /** What follows from it where no proxy runs, such as `bob can connect once it is started`. */
  later: string;
}

/** Have the running proxy take over a change that is kept, and report what it proved. A proof that failed is an error. */
export async function takeEffect(paths: Paths, { done, later }: KeptChange): Promise<Effect> {
  const notified = await notifyDaemon(paths).catch((error: unknown): never => {
    if (!(error instanceof MtpError)) throw error;
    const { code, message, hint, exit } = error;
    throw new MtpError(code, `${done}, but the running proxy was not told: ${message}`, {
      cause: error,
      exit,
      ...(hint === undefined ? {} : { hint }),
    });
  });
  if (!notified.running) {
    return {
      running: false,
      revision: null,
      proofs: [],
      connections: null,
      sentence: `No proxy is running here; ${later}.`,
    };
  }
  const { revision, proofs, untried, connections } = notified;
  const failed = proofs.filter(({ ok }) => !ok);
  if (failed.length > 0) {
    throw new MtpError('NOT_PROVED', `${done}, but the running proxy does not show it: ${inWords(failed)}`, {
      hint: 'See what the proxy reports with: mtp status',
    });
  }
  const rest = untried === 0 ? '' : ` ${untried} more that changed were not tried.`;
  const shown =
    proofs.length > 0
      ? `The running proxy shows it: ${inWords(proofs)}.${rest}`
      : `The running proxy serves revision ${revision.slice(0, 12)}; no handshake was tried.`;
  return { running: true, revision, proofs, connections, sentence: shown };
}

/** Those who share an outcome are named together, some of them where they are many. */
function inWords(proofs: Proof[]): string {
  return [...Map.groupBy(proofs, ({ detail }) => detail)]
    .map(([detail, alike]) => `${some([...new Set(alike.map(({ name }) => name))])}: ${detail}`)
    .join('; ');
}

function some(names: string[]): string {
  const SHOWN = 5;
  const rest = names.length - SHOWN;
  return rest > 0 ? `${names.slice(0, SHOWN).join(', ')} and ${rest} more` : names.join(', ');
}

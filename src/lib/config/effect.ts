import { reloadDaemon } from '../control/client.ts';
import type { ReloadReply } from '../control/schema.ts';
import { MtpError } from '../errors.ts';
import { isInForce } from '../firewall/mark.ts';
import type { Paths } from '../system/paths.ts';
import { evaluate } from './evaluate.ts';
import { invalidConfig } from './load.ts';
import { readText } from './read-text.ts';

/** What became of a change of the configuration file. */
export interface ConfigEffect {
  running: boolean;
  /** The revision that the running proxy serves now; null when none runs. */
  revision: string | null;
  /** Keys that the running proxy takes up with another engine process only. */
  restartNeeded: string[];
  /** Keys that a variable of the environment overrides here. */
  overridden: { key: string; by: string }[];
  /** Changed keys that the rules of the firewall follow, once they are applied. */
  forFirewall: string[];
}

/** Have the running proxy take over the saved file, and find what keeps a changed key from counting. */
export async function takeEffect(paths: Paths, keys: string[], env: NodeJS.ProcessEnv): Promise<ConfigEffect> {
  const reply = await reload(paths);
  const failed = reply?.proofs.filter(({ ok }) => !ok) ?? [];
  if (failed.length > 0) {
    const details = failed.map(({ name, detail }) => `${name}: ${detail}`).join('; ');
    throw new MtpError('NOT_PROVED', `${paths.configFile} is written, but a handshake then failed: ${details}`, {
      hint: 'See what the proxy reports with: mtp status',
    });
  }
  return {
    running: reply !== undefined,
    revision: reply?.revision ?? null,
    restartNeeded: reply?.restartNeeded ?? [],
    overridden: await findOverridden(paths.configFile, keys, env),
    forFirewall: await followedByFirewall(paths, keys),
  };
}

/** The effect in words, a line each. */
export function describeEffect({ running, revision, restartNeeded, overridden, forFirewall }: ConfigEffect): string[] {
  const first = running
    ? `The running proxy serves revision ${(revision ?? '').slice(0, 12)}.`
    : 'No proxy is running here; it counts from the next start.';
  const later =
    restartNeeded.length > 0 ? [`Another engine process is needed for ${restartNeeded.join(', ')}: mtp reload`] : [];
  const hidden = overridden.map(({ key, by }) => `${key} comes from ${by} in this environment, not from the file.`);
  const rules = forFirewall.length > 0 ? ['The rules of the firewall follow with: sudo mtp firewall apply'] : [];
  return [first, ...later, ...rules, ...hidden];
}

async function reload(paths: Paths): Promise<ReloadReply | undefined> {
  try {
    return await reloadDaemon(paths);
  } catch (error) {
    if (!(error instanceof MtpError)) throw error;
    const { code, message, hint, exit } = error;
    const prefix = `${paths.configFile} is written, but the running proxy did not take it over: `;
    throw new MtpError(code, prefix + message, { cause: error, exit, ...(hint === undefined ? {} : { hint }) });
  }
}

async function followedByFirewall({ firewall }: Paths, keys: string[]): Promise<string[]> {
  const isThere = await isInForce(firewall);
  return keys.filter((key) => key.startsWith('firewall.') || (isThere && key === 'listen.port'));
}

async function findOverridden(file: string, keys: string[], env: NodeJS.ProcessEnv) {
  const text = await readText(file);
  const evaluation = evaluate({ env, file: text === undefined ? undefined : { text, name: file } });
  if (!evaluation.ok) throw invalidConfig(evaluation.problems, 'The file is written; these are in the environment.');
  const { origins } = evaluation.config;
  return keys.flatMap((key) => {
    const origin = origins[key];
    return origin?.origin === 'env' ? [{ key, by: origin.where }] : [];
  });
}

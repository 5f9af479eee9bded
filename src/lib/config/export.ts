import { EXIT, MtpError } from '../errors.ts';
import { setEnvValue } from '../env-file/edit.ts';
import { formatSecret, keyedSecret } from '../secret/secret.ts';
import { refusePresent, writeAtomic } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { loadUsers } from '../users/load.ts';
import { requireSecret } from '../users/user.ts';
import { envTextOf } from './env-text.ts';
import { loadConfig } from './load.ts';
import type { Settings } from './schema.ts';

export interface ConfigExportOptions {
  /** A file that is not there yet. */
  file: string | undefined;
  /** Passwords and the secret of the first user, too; only into a file. */
  withSecrets: boolean;
  env: NodeJS.ProcessEnv;
}

export interface ExportedConfig {
  settings: number;
  /** Null where `text` is to be printed. */
  file: string | null;
  text: string | null;
  /** Whose secret is in it; null for nobody's. */
  user: string | null;
  /** What was left out and how to get it, a sentence each. */
  notes: string[];
}

/** The settings that differ from a default in the form of a `.env` file, into a new file of mode 0600 or as text. */
export async function exportConfig(
  paths: Paths,
  { file, withSecrets, env }: ConfigExportOptions,
): Promise<ExportedConfig> {
  if (withSecrets && file === undefined) {
    throw new MtpError('USAGE', 'secrets are written into a file only', {
      exit: EXIT.usage,
      hint: 'Name one, such as: mtp config export --env FILE --secrets',
    });
  }
  if (file !== undefined) refusePresent(file);
  const config = await loadConfig({ file: paths.configFile, env });
  const { text: lines, settings, withheld } = envTextOf(config, { withSecrets });
  const secret = withSecrets ? await firstSecret(paths, config.settings) : undefined;
  const text = secret === undefined ? lines : setEnvValue(lines, 'MTG_SECRET', secret.text);
  const notes = [
    ...withheld.map((key) => `${key} holds a password and was left out; --secrets writes it.`),
    ...(secret === undefined || secret.others === 0
      ? []
      : [`A .env file holds one secret; those of all users: mtp user export FILE --with-secrets`]),
  ];
  const result = { settings, user: secret?.user ?? null, notes };
  if (file === undefined) return { ...result, file: null, text };
  await writeAtomic(file, text, 0o600);
  return { ...result, file, text: null };
}

/** The secret of whoever was added first, as links have it; undefined where nobody may connect. */
async function firstSecret(paths: Paths, { protocol, cover }: Settings) {
  const { users } = await loadUsers(paths);
  const [user, ...others] = users;
  if (user === undefined) return undefined;
  const [mode = 'ee'] = (['ee', 'dd', 'plain'] as const).filter((one) => protocol.modes.includes(one));
  const secret = keyedSecret(mode, Buffer.from(requireSecret(user).key, 'hex'), cover.domain);
  return { user: user.name, text: formatSecret(secret), others: others.length };
}

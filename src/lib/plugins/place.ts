import { lstatSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { errnoCode, EXIT, MtpError } from '../errors.ts';

/** What every start needs to know of plugins; it reads one file, and where there is none, none. */

export interface PluginFacts {
  env: NodeJS.ProcessEnv;
  /** Undefined where there are no users. */
  uid: number | undefined;
  userHome: string;
}

const OTHERS_MAY_WRITE = 0o022;

/** Where plugins are: never where the service may write, since root runs them. */
export function pluginDirectory({ env, uid, userHome }: PluginFacts): string {
  const given = env.MTP_PLUGIN_DIR;
  if (given !== undefined && path.isAbsolute(given)) return given;
  if (uid === 0) return '/usr/local/lib/mtp/plugins';
  const data = env.XDG_DATA_HOME;
  const base = data !== undefined && path.isAbsolute(data) ? data : path.join(userHome, '.local/share');
  return path.join(base, 'mtp/plugins');
}

/** Names and versions of the plugins in a directory; one that somebody else may write is an error. */
export function installedPlugins(directory: string, uid: number | undefined): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(path.join(directory, 'package.json'), 'utf8');
  } catch (error) {
    const code = errnoCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return {};
    throw error;
  }
  for (const place of [directory, path.join(directory, 'package.json'), path.join(directory, 'node_modules')]) {
    const { mode, uid: owner } = lstatSync(place);
    if ((owner === 0 || owner === uid) && (mode & OTHERS_MAY_WRITE) === 0) continue;
    throw new MtpError(
      'PLUGINS_EXPOSED',
      `${place} could be written by somebody else, and plugins run with your rights`,
      {
        exit: EXIT.precondition,
        hint: 'Look at what is there; then take it back with chown and chmod go-w, or remove the directory.',
      },
    );
  }
  try {
    return (JSON.parse(text) as { dependencies?: Record<string, string> }).dependencies ?? {};
  } catch {
    throw new MtpError('PLUGINS_DAMAGED', `${directory}/package.json cannot be read`, {
      exit: EXIT.precondition,
      hint: 'Remove that directory, and install the plugins again.',
    });
  }
}

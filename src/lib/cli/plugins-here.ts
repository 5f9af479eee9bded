import os from 'node:os';
import { installedPlugins, pluginDirectory } from '../plugins/place.ts';

/** The plugins of whoever runs this, names and versions. */
export function pluginsHere(): { directory: string; uid: number | undefined; installed: Record<string, string> } {
  const uid = process.getuid?.();
  const directory = pluginDirectory({ env: process.env, uid, userHome: os.homedir() });
  return { directory, uid, installed: installedPlugins(directory, uid) };
}

import path from 'node:path';
import { type Paths, resolvePaths } from '../../src/lib/system/paths.ts';

/** The paths of an installation that keeps everything in one directory. */
export function pathsIn(home: string): Paths {
  return resolvePaths({ home: path.resolve(home), env: {}, isRoot: false, userHome: home });
}

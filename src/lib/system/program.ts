import { access, constants } from 'node:fs/promises';
import path from 'node:path';

const USUAL = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Full path of a program by PATH and the usual directories; undefined where it is not installed. */
export async function findProgram(name: string, search = process.env.PATH ?? ''): Promise<string | undefined> {
  for (const dir of `${search}:${USUAL}`.split(':').filter((entry) => path.isAbsolute(entry))) {
    const file = path.join(dir, name);
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return undefined;
}

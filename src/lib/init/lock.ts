import path from 'node:path';
import { ensureDirectory } from '../system/files.ts';
import { withLock } from '../system/lock.ts';
import type { Layout } from './layout.ts';

const WAIT_MS = 500;

/** Run `action` while nobody else installs or removes here; somebody who does is an error with exit status 75. */
export async function withInstallLock<Result>({ lock }: Layout, action: () => Promise<Result>): Promise<Result> {
  await ensureDirectory(path.dirname(lock));
  return withLock(lock, action, WAIT_MS);
}

import { loadConfig } from '../config/load.ts';
import { EXIT, MtpError } from '../errors.ts';
import type { Paths } from '../system/paths.ts';

/** Whether a secret that is easy to guess may be taken where the operator asks for it: in production never. */
export async function mayBeWeak({ configFile }: Pick<Paths, 'configFile'>, asked: boolean): Promise<boolean> {
  if (!asked) return false;
  const { settings } = await loadConfig({ file: configFile, env: process.env });
  if (settings.deployment.env !== 'production') return true;
  throw new MtpError('PRODUCTION', 'a secret that is easy to guess is for tests, and deployment.env says production', {
    exit: EXIT.precondition,
    hint: 'Make a good one with "mtp secret generate"; what links hold already is taken over by "mtp adopt".',
  });
}

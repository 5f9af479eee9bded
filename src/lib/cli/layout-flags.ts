import { Flags } from '@oclif/core';
import { EXIT, MtpError } from '../errors.ts';
import { type Layout, systemLayout, userLayout } from '../init/layout.ts';
import type { Paths } from '../system/paths.ts';

/** Which installation `mtp init` and `mtp uninstall` mean. */
export const layoutFlags = {
  'user-install': Flags.boolean({ summary: 'For you alone: no root, no system user, no unit.' }),
  prefix: Flags.string({ default: '/', hidden: true, summary: 'Root of the file system to install into.' }),
};

/** Root gets the whole machine; anybody else has to say that they mean themselves. */
export function chooseLayout(
  flags: { 'user-install': boolean; prefix: string; home?: string | undefined },
  paths: Paths,
): Layout {
  if (flags['user-install'] || flags.home !== undefined) return userLayout(paths);
  if (process.getuid?.() === 0) return systemLayout(flags.prefix);
  throw new MtpError('NEEDS_ROOT', 'only root may install for the whole machine', {
    exit: EXIT.needsRoot,
    hint: 'Run it with sudo, or add --user-install for yourself alone.',
  });
}

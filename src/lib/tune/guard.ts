import { EXIT, MtpError } from '../errors.ts';

/** Refuse to change a kernel that is not ours to change. */
export function assertMayTune(isRoot: boolean, container: string | undefined, allowed: boolean): void {
  if (!isRoot) {
    throw new MtpError('NEEDS_ROOT', 'only root may change settings of the kernel', {
      exit: EXIT.needsRoot,
      hint: 'Run it with sudo.',
    });
  }
  if (container === undefined || allowed) return;
  throw new MtpError(
    'IN_CONTAINER',
    `this is a container (${container}); its kernel belongs to the machine around it`,
    {
      exit: EXIT.precondition,
      hint: 'Run it on that machine, or insist with --in-container.',
    },
  );
}

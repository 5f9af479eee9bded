import { Flags } from '@oclif/core';

/** Flags that all of `mtp tune` has. */
export const tuneFlags = {
  only: Flags.string({
    multiple: true,
    default: [],
    helpValue: 'KEY',
    summary: 'Only keys that begin with this, such as net.ipv4; may be given more than once.',
  }),
  prefix: Flags.directory({ default: '/', hidden: true, summary: 'Root of the file system to write to.' }),
};

import { Flags } from '@oclif/core';

/** What `mtp template show` and `write` ask about the machine. */
export const templateFlags = {
  port: Flags.integer({
    helpValue: 'PORT',
    min: 1,
    max: 65_535,
    summary: 'Port that clients connect to; else that of the configuration.',
  }),
  cpus: Flags.string({
    helpValue: 'COUNT',
    summary: 'Processors that the proxy may use, such as 0.5; else up to two.',
  }),
  memory: Flags.string({
    helpValue: 'SIZE',
    summary: 'Memory that it may use, such as 512M or 1G; else three quarters of the machine.',
  }),
};

/** What plugins import as `mtp/plugin`: the one oclif of this installation, and commands that behave like its own. */
export { Args, Flags } from '@oclif/core';
export { EXIT, MtpError } from '../errors.ts';
export { BaseCommand } from './base-command.ts';

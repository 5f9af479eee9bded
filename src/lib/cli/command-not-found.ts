import type { Hook } from '@oclif/core';
import { nearest } from '../config/nearest.ts';
import { EXIT, MtpError } from '../errors.ts';

/** Refuse a command that does not exist, naming the one that was probably meant. */
const commandNotFound: Hook<'command_not_found'> = async function ({ id, config }) {
  const typed = id.replaceAll(':', ' ');
  const commands = config.commandIDs.map((known) => known.replaceAll(':', ' '));
  const meant = nearest(typed, commands);
  throw new MtpError('USAGE', `there is no command "${typed}"`, {
    exit: EXIT.usage,
    hint: meant === undefined ? 'See all commands with: mtp --help' : `Did you mean: mtp ${meant}`,
  });
};

export default commandNotFound;

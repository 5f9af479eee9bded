import { describe, expect, it } from 'vitest';
import { toMtpError } from '../../../src/lib/cli/failure.ts';
import { EXIT } from '../../../src/lib/errors.ts';

/** As the parser of the command line throws it. */
function parseError(message: string): Error {
  return Object.assign(new Error(message), { parse: {} });
}

describe('a wrong command line', () => {
  it.each([
    ['Nonexistent flag: --frob\nSee more help with --help', 'Nonexistent flag: --frob'],
    [
      'Missing 1 required arg:\nnetwork  Addresses or networks\nSee more help with --help',
      'Missing 1 required arg: network',
    ],
    [
      'Parsing --ms \n\tExpected an integer greater than or equal to 1 but received: 0\nSee more help with --help',
      '--ms: Expected an integer greater than or equal to 1 but received: 0',
    ],
    [
      'The following errors occurred:\n  Exactly one of these: --file, --pid\n  --all cannot be\nSee more help with --help',
      'Exactly one of these: --file, --pid; --all cannot be',
    ],
  ])('%j is said in one line', (thrown, message) => {
    expect(toMtpError(parseError(thrown))).toMatchObject({ code: 'USAGE', message, exit: EXIT.usage });
  });
});

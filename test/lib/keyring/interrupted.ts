// Child process of the keyring's tests: rotates the keys and ends itself, without a chance to tidy up, at one step.
import type { Algorithm } from '../../../src/lib/keyring/algorithms.ts';
import { rotateKeys } from '../../../src/lib/keyring/rotate.ts';
import { pathsIn } from '../../support/files.ts';

const [home = '', step = '', algorithm] = process.argv.slice(2);
await rotateKeys(pathsIn(home), algorithm as Algorithm | undefined, (at) => {
  if (at === step) process.kill(process.pid, 'SIGKILL');
});

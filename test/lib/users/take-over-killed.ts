// Child process of the tests: takes users.json over and ends itself, without a chance to tidy up, at one step.
import { takeOver } from '../../../src/lib/users/take-over.ts';
import { pathsIn } from '../../support/files.ts';

const [home = '', step = ''] = process.argv.slice(2);
await takeOver(pathsIn(home), (at) => {
  if (at === step) process.kill(process.pid, 'SIGKILL');
});

// Child process of the store's tests: adds users NAME-0, NAME-1, … until COUNT or until it is killed.
import { addUser } from '../../../src/lib/users/store.ts';
import { pathsIn } from '../../support/files.ts';

const [home = '', name = '', count = ''] = process.argv.slice(2);
process.stdout.write('ready\n');
for (let at = 0; at < Number(count); at++) await addUser(pathsIn(home), { name: `${name}-${at}` });

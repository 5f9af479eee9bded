import { afterAll, beforeAll, describe } from 'vitest';
import { accelerate } from '../../src/lib/protocol/ctr.ts';
import { loadAccelerator } from '../../src/lib/system/accelerator.ts';

/** Another build of the accelerator than the one of this checkout, as `npm run asan` makes one. */
export const otherBuild = process.env['ACCELERATOR_UNDER_TEST'];

/** The accelerator of this checkout; null where it is not built or turned off. One that is refused is an error. */
export const native = loadAccelerator((reason) => {
  throw new Error(reason);
}, otherBuild);

/** Define tests twice: without the accelerator and, where there is one, with it. */
export function bothWays(define: () => void): void {
  describe('through node:crypto', define);
  describe.skipIf(native === null)('through the accelerator', () => {
    beforeAll(() => accelerate(native));
    afterAll(() => accelerate(null));
    define();
  });
}

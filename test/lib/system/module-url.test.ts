import { expect, it } from 'vitest';
import { moduleUrl } from '../../../src/lib/system/module-url.ts';

it('a sibling module has the extension of the module that asks', () => {
  expect(moduleUrl('file:///app/src/daemon/supervisor/builtin.ts', '../engine/main').href).toBe(
    'file:///app/src/daemon/engine/main.ts',
  );
  expect(moduleUrl('file:///app/dist/daemon/supervisor/builtin.js', '../engine/main').href).toBe(
    'file:///app/dist/daemon/engine/main.js',
  );
});

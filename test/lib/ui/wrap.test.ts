import { expect, test } from 'vitest';
import { wrap } from '../../../src/lib/ui/wrap.ts';

test.each([
  ['one two three', 80, 'one two three'],
  ['one two three', undefined, 'one two three'],
  ['one two three four', 8, 'one two\n  three\n  four'],
  ['one two', 3, 'one\n  two'],
  ['averyverylongword', 5, 'averyverylongword'],
  ['a averyverylongword b', 8, 'a\n  averyverylongword\n  b'],
  ['one two\nthree four', 7, 'one two\nthree\n  four'],
  ['one two', 0, 'one two'],
])('%j at %s columns', (text, columns, wrapped) => {
  expect(wrap(text, columns)).toBe(wrapped);
});

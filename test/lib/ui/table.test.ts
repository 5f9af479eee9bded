import { expect, test } from 'vitest';
import { formatTable } from '../../../src/lib/ui/table.ts';

test('columns are as wide as their widest cell, and no line ends in spaces', () => {
  expect(
    formatTable(
      ['NAME', 'ENABLED'],
      [
        ['bob', 'yes'],
        ['a-long-name', ''],
      ],
    ),
  ).toEqual(['NAME         ENABLED', 'bob          yes', 'a-long-name']);
});

test('colours take no room', () => {
  expect(formatTable(['A', 'B'], [['\u001B[31mred\u001B[39m', 'x']])).toEqual(['A    B', '\u001B[31mred\u001B[39m  x']);
});

test('no rows leave the headers', () => {
  expect(formatTable(['A', 'B'], [])).toEqual(['A  B']);
});

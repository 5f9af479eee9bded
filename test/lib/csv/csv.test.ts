import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCsv } from '../../../src/lib/csv/parse.ts';
import { unguard, writeCsv } from '../../../src/lib/csv/write.ts';

const fields = (text: string): string[][] => parseCsv(text).rows.map((row) => row.fields);

describe('CSV', () => {
  test('what is written is read back, whatever it is', () => {
    const row = fc.array(fc.oneof(fc.string(), fc.stringMatching(/^['=+@,"\r\n-]{0,5}$/)), {
      minLength: 2,
      maxLength: 5,
    });
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        const { rows: read, fault } = parseCsv(writeCsv(rows));
        expect(fault).toBeUndefined();
        expect(read.map((one) => one.fields.map(unguard))).toEqual(rows);
      }),
    );
  });

  test('any text is rows or a fault, on lines that it has', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a",\r\n]{0,40}$/), (text) => {
        const { rows, fault } = parseCsv(text);
        const lines = [...rows.map(({ line }) => line), ...(fault === undefined ? [] : [fault.line])];
        expect(lines.every((line) => line >= 1 && line <= text.split(/\r\n|\r|\n/).length)).toBe(true);
        expect(lines.toSorted((a, b) => a - b)).toEqual(lines);
      }),
    );
  });

  test('no field that is written begins a formula', () => {
    expect(writeCsv([['=1+1', '@x', "'=", '-', 'a=b']])).toBe("'=1+1,'@x,''=,'-,a=b\n");
  });

  test('either kind of line end, a byte order mark, empty lines, no end of the last line', () => {
    expect(fields('\uFEFFa,b\r\n\r\n\n1,"2"\n3,')).toEqual([
      ['a', 'b'],
      ['1', '2'],
      ['3', ''],
    ]);
  });

  test('lines are counted as an editor counts them', () => {
    const { rows } = parseCsv('a\n"x\ny"\n\nb\n');
    expect(rows.map(({ line }) => line)).toEqual([1, 2, 5]);
  });

  test.each([
    ['a\n"b\nc', 2, /opened and not closed/],
    ['a\n"b"c\n', 2, /follows a closing quote/],
  ])('%j has a fault', (text, line, fault) => {
    expect(parseCsv(text).fault).toEqual({ line, fault: expect.stringMatching(fault) as string });
    expect(parseCsv(text).rows).toHaveLength(1);
  });
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { renderCsv } from '../../../src/api/csv.ts';
import { type CsvFault, type CsvRecord, readCsv } from '../../../src/domain/ledger/csv-records.ts';

const read = (text: string): readonly CsvRecord[] | CsvFault => readCsv(text, { maxRecords: 5, maxCellLength: 12 });

it.each<[string, readonly (readonly [number, ...string[]])[]]>([
  ['', []],
  [
    'a,b\r\n1,2\r\n',
    [
      [1, 'a', 'b'],
      [2, '1', '2'],
    ],
  ],
  [
    '\ufeffa\n\n"b"\r"c"',
    [
      [1, 'a'],
      [3, 'b'],
      [4, 'c'],
    ],
  ],
  [
    'a,"x\r\ny",""\n"he said ""hi"""\nz',
    [
      [1, 'a', 'x\r\ny', ''],
      [3, 'he said "hi"'],
      [4, 'z'],
    ],
  ],
  [
    'a,\n,b',
    [
      [1, 'a', ''],
      [2, '', 'b'],
    ],
  ],
  ['""\n', [[1, '']]],
  ['a,', [[1, 'a', '']]],
])('reads %j', (text, expected) => {
  expect(read(text)).toEqual(expected.map(([line, ...cells]) => ({ line, cells })));
});

it.each<[string, CsvFault]>([
  ['a\nb,c"d', { line: 2, column: 2, code: 'stray_quote' }],
  ['a\n"b"c,d', { line: 2, column: 1, code: 'stray_quote' }],
  ['a,"b\nc', { line: 1, column: 2, code: 'open_quote' }],
  ['a,0123456789xyz', { line: 1, column: 2, code: 'too_long' }],
  ['1\n2\n3\n4\n5\n6', { line: 6, column: 1, code: 'too_many_lines' }],
])('finds what is wrong with %j', (text, fault) => {
  expect(read(text)).toEqual(fault);
});

it('reads back what is written, whatever is in it', () => {
  const cell = fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', 'ü', 'x'), maxLength: 9 });
  const rows = fc
    .integer({ min: 2, max: 4 })
    .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 4 }));
  fc.assert(
    fc.property(rows, (cells) => {
      const written = renderCsv({ columns: ['head'], rows: () => cells }, null);
      const back = read(written);
      // What a spreadsheet would run has a mark before it.
      const plain = (text: string): string => (/^[\r\n]/.test(text) ? `'${text}` : text);
      expect('code' in back ? back : back.slice(1).map((record) => record.cells)).toEqual(cells.map((row) => row.map(plain)));
    }),
  );
});

it('ends on any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', 'x') }), (text) => {
      const found = read(text);
      if (!('code' in found)) for (const { line } of found) expect(line).toBeLessThanOrEqual(text.split(/\r\n|\n|\r/).length);
    }),
  );
});

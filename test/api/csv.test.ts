import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CsvCell, renderCsv } from '../../src/api/csv.ts';

/** One column of these cells. */
const render = (...cells: readonly CsvCell[]): string =>
  renderCsv({ columns: ['cell'], rows: () => cells.map((cell) => [cell]) }, null);

/** Reads a table as RFC 4180 has it. */
function parse(text: string): string[][] {
  const records: string[][] = [[]];
  let rest = text;
  while (rest !== '') {
    const [field = '', quoted, plain = '', end = ''] = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/.exec(rest) ?? [];
    expect(field, 'not RFC 4180').not.toBe('');
    records.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === '\r\n') records.push([]);
    rest = rest.slice(field.length);
  }
  return records.slice(0, -1);
}

describe('a table as CSV', () => {
  it('has a header, a line for each row, and nothing for what is not known', () => {
    const form = {
      columns: ['at', 'value', 'complete'],
      rows: () => [['2026-11-21', '1.5', true] as const, [null, null, false]],
    };
    expect(renderCsv(form, null)).toBe('at,value,complete\r\n2026-11-21,1.5,true\r\n,,false\r\n');
  });

  it('quotes what would break it', () => {
    expect(render('a,b', 'say "hi"', 'two\r\nlines')).toBe('cell\r\n"a,b"\r\n"say ""hi"""\r\n"two\r\nlines"\r\n');
  });

  it.each(['=1+1', '+1', '-1+1', '@SUM(A1)', '\tx', '＝1', '-', '=HYPERLINK("http://x")'])(
    'takes the sting out of %j',
    (text) => {
      expect(parse(render(text))).toEqual([['cell'], [`'${text}`]]);
    },
  );

  it.each(['-1', '-0.5', '12', '0x12', 'a=b', '-123456789012345678901234567890.000000000000000001'])(
    'leaves %s as it is',
    (text) => {
      expect(parse(render(text))).toEqual([['cell'], [text]]);
    },
  );

  it('comes back as it was, whatever is in it', () => {
    const cell = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', '=', '-', '1', 'ü') }));
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { maxLength: 5 }), (rows) => {
        const back = parse(renderCsv({ columns: ['a', 'b'], rows: () => rows }, null)).slice(1);
        expect(
          back.map((cells, row) => cells.map((text, column) => (text === rows[row]?.[column] ? text : text.slice(1)))),
        ).toEqual(rows);
        for (const text of back.flat()) expect(text).not.toMatch(/^[=+@\t\r\n]|^-(?!\d+(\.\d+)?$)/);
      }),
    );
  });
});

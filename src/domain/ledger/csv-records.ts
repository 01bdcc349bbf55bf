/** One record of a table, and the line of the file that it begins at, from 1. */
export type CsvRecord = { readonly line: number; readonly cells: readonly string[] };

/** Where a text is no table as RFC 4180 has it; the column counts cells, from 1. */
export type CsvFault = { readonly line: number; readonly column: number; readonly code: CsvFaultCode };
export type CsvFaultCode = 'stray_quote' | 'open_quote' | 'too_many_lines' | 'too_long';

type CsvLimits = { readonly maxRecords: number; readonly maxCellLength: number };

/** Of a cell: quoted, or plain up to the next separator; and what ends it. */
const CELL = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;

/**
 * The records of a table whose cells are separated by commas, with CRLF, LF or CR at the ends of lines, and quotes round cells that hold one of those. Blank lines are left out. The first fault
 * ends the reading.
 */
export function readCsv(text: string, { maxRecords, maxCellLength }: CsvLimits): readonly CsvRecord[] | CsvFault {
  const records: CsvRecord[] = [];
  const cell = new RegExp(CELL);
  cell.lastIndex = text.startsWith('\ufeff') ? 1 : 0;
  let line = 1;
  let cells: string[] = [];
  let start = line;
  while (cell.lastIndex < text.length || cells.length > 0) {
    const place = cell.lastIndex;
    const found = cell.exec(text);
    if (found === null)
      return { line, column: cells.length + 1, code: text[place] === '"' ? quoteFault(text, place) : 'stray_quote' };
    const [, quoted, plain = '', end] = found;
    const value = quoted?.replaceAll('""', '"') ?? plain;
    if (value.length > maxCellLength) return { line, column: cells.length + 1, code: 'too_long' };
    cells.push(value);
    line += countLines(quoted ?? '');
    if (end === ',') continue;
    const isBlank = cells.length === 1 && value === '' && quoted === undefined;
    if (!isBlank) records.push({ line: start, cells });
    if (records.length > maxRecords) return { line: start, column: 1, code: 'too_many_lines' };
    line += 1;
    start = line;
    cells = [];
    if (end === '') break;
  }
  return records;
}

/** A quote that opens a cell: nothing closes it, or something stands behind it. */
function quoteFault(text: string, place: number): 'open_quote' | 'stray_quote' {
  return /^"[^"]*(?:""[^"]*)*"/.test(text.slice(place)) ? 'stray_quote' : 'open_quote';
}

function countLines(text: string): number {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0;
}

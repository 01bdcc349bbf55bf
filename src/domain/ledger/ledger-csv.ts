import { type CsvFaultCode, type CsvRecord, readCsv } from './csv-records.ts';
import type { EntryInput } from './entry-input.ts';
import { ENTRY_TYPES, type EntryType } from './ledger.ts';
import { type LocalTimeFault, readLocalTime } from './local-time.ts';

/** The columns that a file of entries may have, in any order; all but the last seven in each file. */
export const LEDGER_COLUMNS = [
  'wallet_id',
  'type',
  'amount',
  'occurred_at',
  'asset_id',
  'chain',
  'token_address',
  'price',
  'currency',
  'note',
  'reference',
] as const;
export type LedgerColumn = (typeof LEDGER_COLUMNS)[number];
const REQUIRED = ['wallet_id', 'type', 'amount', 'occurred_at'] as const;

/** What is wrong with a line: counted from 1, the header's included. `column` null: with the whole of it. */
export type LineFault = {
  readonly line: number;
  readonly column: string | null;
  readonly code: string;
  readonly message: string;
};

export type LedgerLine = { readonly line: number; readonly input: EntryInput };

/** Lines that can be read, and what is wrong with the others. */
export type LedgerFile = { readonly lines: readonly LedgerLine[]; readonly faults: readonly LineFault[]; readonly count: number };

const MAX_LINES = 10_000;
const MAX_CELL_LENGTH = 1_000;
const MAX_TEXT_LENGTH = { note: 500, reference: 100 } as const;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const CURRENCY = /^[A-Za-z]{3,5}$/;

/** Reads a file of entries. Times without an offset are those of the zone. */
export function readLedgerCsv(text: string, timeZone: string): LedgerFile {
  // The header is a record too.
  const records = readCsv(text, { maxRecords: MAX_LINES + 1, maxCellLength: MAX_CELL_LENGTH });
  if ('code' in records) return refuseAll({ ...records, column: String(records.column), message: CSV_FAULTS[records.code] });
  const [header, ...rows] = records;
  if (header === undefined) return refuseAll({ line: 1, column: null, code: 'empty', message: 'The file has no header.' });
  const columns = header.cells.map((cell) => cell.trim().toLowerCase());
  const fault = checkHeader(columns);
  if (fault !== undefined) return refuseAll({ ...fault, line: header.line });
  const lines: LedgerLine[] = [];
  const faults: LineFault[] = [];
  for (const row of rows) {
    const read = readRow(row, { columns, timeZone });
    if ('input' in read) lines.push(read);
    else faults.push(...read);
  }
  return { lines, faults, count: rows.length };
}

const CSV_FAULTS: Readonly<Record<CsvFaultCode, string>> = {
  stray_quote: 'A quote may only stand round a whole cell; one inside of it is written twice.',
  open_quote: 'This quote is never closed.',
  too_many_lines: `A file may have at most ${MAX_LINES} lines.`,
  too_long: `A cell may have at most ${MAX_CELL_LENGTH} characters.`,
};

function refuseAll(fault: LineFault): LedgerFile {
  return { lines: [], faults: [fault], count: 0 };
}

function checkHeader(columns: readonly string[]): Omit<LineFault, 'line'> | undefined {
  const unknown = columns.find((name) => !LEDGER_COLUMNS.some((known) => known === name));
  if (unknown !== undefined) {
    const message = `There is no such column. There are: ${LEDGER_COLUMNS.join(', ')}.`;
    return { column: unknown.slice(0, 50), code: 'unknown_column', message };
  }
  const repeated = columns.find((name, index) => columns.indexOf(name) !== index);
  if (repeated !== undefined) return { column: repeated, code: 'repeated_column', message: 'This column is there twice.' };
  const missing = REQUIRED.find((name) => !columns.includes(name));
  if (missing !== undefined) return { column: missing, code: 'missing_column', message: 'This column is missing.' };
  if (columns.includes('asset_id') || columns.includes('chain')) return undefined;
  return { column: 'asset_id', code: 'missing_column', message: 'Name assets by `asset_id`, or by `chain` and `token_address`.' };
}

type Cells = (name: LedgerColumn) => string;

function readRow(
  { line, cells }: CsvRecord,
  { columns, timeZone }: { readonly columns: readonly string[]; readonly timeZone: string },
): LedgerLine | readonly LineFault[] {
  if (cells.length !== columns.length) {
    return [
      { line, column: null, code: 'wrong_length', message: `The header has ${columns.length} cells, this line ${cells.length}.` },
    ];
  }
  const cell: Cells = (name) => cells[columns.indexOf(name)]?.trim() ?? '';
  const occurredAt = readLocalTime(cell('occurred_at'), timeZone);
  const type = ENTRY_TYPES.find((known) => known === cell('type').toLowerCase());
  const asset = readAsset(cell);
  const faults = [
    ...(typeof occurredAt === 'string' ? [fault('occurred_at', occurredAt, TIME_FAULTS[occurredAt])] : []),
    ...(type === undefined ? [fault('type', 'unknown_type', `There are: ${ENTRY_TYPES.join(', ')}.`)] : []),
    ...(asset === undefined ? [fault('asset_id', 'no_asset', 'Give either `asset_id` or `chain`.')] : []),
    ...checkTexts(cell),
  ].map((found) => ({ line, ...found }));
  if (faults.length > 0 || typeof occurredAt === 'string' || type === undefined || asset === undefined) return faults;
  return { line, input: toInput(cell, { type, asset, occurredAt }) };
}

function toInput(
  cell: Cells,
  read: Pick<EntryInput, 'type' | 'asset' | 'occurredAt'> & { readonly type: EntryType },
): EntryInput {
  const orNull = (name: LedgerColumn): string | null => (cell(name) === '' ? null : cell(name));
  const price = orNull('price');
  return {
    ...read,
    walletId: cell('wallet_id').toLowerCase(),
    amount: cell('amount'),
    price: price === null ? null : { value: price, currency: (orNull('currency') ?? 'USD').toUpperCase() },
    note: orNull('note'),
    reference: orNull('reference'),
  };
}

function readAsset(cell: Cells): EntryInput['asset'] | undefined {
  const [assetId, chain, address] = [cell('asset_id'), cell('chain'), cell('token_address')];
  if ((assetId === '') === (chain === '')) return undefined;
  if (assetId !== '') return address === '' ? assetId : undefined;
  return { chain, address: address === '' ? null : address };
}

const TIME_FAULTS: Readonly<Record<LocalTimeFault, string>> = {
  invalid_time: 'Give a time such as 2026-11-21 12:00:00 or 2026-11-21T12:00:00+01:00.',
  nonexistent_time: 'The clocks of the zone skip this time. Give it with its offset.',
  ambiguous_time: 'The clocks of the zone show this time twice. Give it with its offset.',
};

function checkTexts(cell: Cells): readonly Omit<LineFault, 'line'>[] {
  const isTooLong = (name: keyof typeof MAX_TEXT_LENGTH): boolean => cell(name).length > MAX_TEXT_LENGTH[name];
  return [
    ...(UUID.test(cell('wallet_id')) ? [] : [fault('wallet_id', 'invalid_id', 'Give the id of a wallet.')]),
    ...(cell('currency') === '' || CURRENCY.test(cell('currency'))
      ? []
      : [fault('currency', 'invalid_currency', 'Give a code such as EUR.')]),
    ...(['note', 'reference'] as const)
      .filter(isTooLong)
      .map((name) => fault(name, 'too_long', `At most ${MAX_TEXT_LENGTH[name]} characters.`)),
  ];
}

function fault(column: LedgerColumn, code: string, message: string): Omit<LineFault, 'line'> {
  return { column, code, message };
}

/** What a cell can hold. Null is an empty cell: nothing is known. */
export type CsvCell = string | number | boolean | null;

/** How an answer is told as a table: the names of its columns, and its rows with a cell for each. */
export type CsvForm<Body = unknown> = {
  readonly columns: readonly string[];
  rows(body: Body): Iterable<readonly CsvCell[]>;
};

export const CSV_TYPE = 'text/csv; charset=utf-8; header=present';

/** The table as RFC 4180 has it, with its header. */
export function renderCsv(form: CsvForm, body: unknown): string {
  const lines = [form.columns, ...form.rows(body)].map((cells) => cells.map(toCell).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

/** A spreadsheet takes a cell that begins like this for a formula, which could send away what stands beside it. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const NUMBER = /^-?\d+(\.\d+)?$/;

function toCell(cell: CsvCell): string {
  if (cell === null) return '';
  const text = String(cell);
  const harmless = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

import { type LedgerLine, type LineFault, readLedgerCsv } from '../../domain/ledger/ledger-csv.ts';
import { type AddDeps, checkEntries, findRepeats } from './add-entries.ts';

export type ImportDeps = AddDeps;

/** A line that is not added since the same entry is stored already. */
export type KnownLine = { readonly line: number; readonly reference: string | null };

export type ImportReport = {
  readonly isDryRun: boolean;
  /** Lines of the file, without the header. */
  readonly lineCount: number;
  /** Entries that were added, or would be. */
  readonly addedCount: number;
  readonly known: readonly KnownLine[];
  /** When there is one, nothing was added, or would be. */
  readonly faults: readonly LineFault[];
};

type ImportFile = { readonly tenantId: string; readonly text: string; readonly timeZone: string; readonly isDryRun: boolean };

/** Adds what a file tells and is not there yet, or nothing when any line of it is bad. */
export async function importCsv(deps: ImportDeps, { tenantId, text, timeZone, isDryRun }: ImportFile): Promise<ImportReport> {
  const file = readLedgerCsv(text, timeZone);
  const inputs = file.lines.map(({ input }) => input);
  const { entries, faults } = await checkEntries(deps, tenantId, { inputs, origin: 'csv' });
  const lineOf = (index: number): number => file.lines[index]?.line ?? 0;
  const bad = [
    ...file.faults,
    ...faults.map(({ index, field, code, message }) => ({ line: lineOf(index), column: field, code, message })),
    // Only whole files are looked through for repeats: the places of entries are then those of lines.
    ...(faults.length > 0 ? [] : [...findRepeats(deps, entries)].map(([index, first]) => toRepeat(lineOf(index), lineOf(first)))),
  ].toSorted((a, b) => a.line - b.line);
  const report = { isDryRun, lineCount: file.count };
  if (bad.length > 0) return { ...report, addedCount: 0, known: [], faults: bad };
  const known = isDryRun
    ? await deps.store.findKnown(tenantId, entries)
    : keysWithout(deps, entries, await deps.store.addNew(tenantId, entries));
  const isKnown = (_: LedgerLine, index: number): boolean => {
    const entry = entries[index];
    return entry !== undefined && known.has(deps.store.keyOf(entry));
  };
  const repeated = file.lines.filter(isKnown).map(({ line, input }) => ({ line, reference: input.reference }));
  return { ...report, addedCount: entries.length - repeated.length, known: repeated, faults: [] };
}

function keysWithout(
  { store }: ImportDeps,
  entries: Parameters<typeof findRepeats>[1],
  added: ReadonlyMap<string, string>,
): ReadonlySet<string> {
  return new Set(entries.map((entry) => store.keyOf(entry)).filter((key) => !added.has(key)));
}

function toRepeat(line: number, first: number): LineFault {
  const message = `This is the same as line ${first}. If it happened twice, give each a reference of its own.`;
  return { line, column: 'reference', code: 'duplicate', message };
}

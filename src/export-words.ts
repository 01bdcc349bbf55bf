import type { RowCounts } from './db/export/export-store.ts';
import { AppError } from './domain/errors.ts';
import { BrokenSealError } from './lib/sealed-lines.ts';

/** `2 wallets, 10 snapshots and 3 ledger entries (120 rows)`. */
export function describeCounts(counts: RowCounts): string {
  const rows = Object.values(counts).reduce((sum, one) => sum + one, 0);
  const count = (table: string, noun: string): string => `${counts[table] ?? 0} ${noun}`;
  return `${count('wallets', 'wallets')}, ${count('snapshots', 'snapshots')} and ${count('ledger_entries', 'ledger entries')} (${rows} rows)`;
}

/** What went wrong, in one line. */
export function describeTrouble(error: unknown): string {
  if (error instanceof BrokenSealError || isZlibError(error)) return 'the file is cut off or was altered.';
  const cause = error instanceof AppError && error.cause instanceof Error ? error.cause : error;
  return (cause instanceof Error ? cause.message : String(cause)).replaceAll('\n', ' ');
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
}

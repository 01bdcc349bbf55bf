import { AppError } from './domain/errors.ts';
import { StartupError } from './lib/startup-error.ts';

/** Runs a command of an operator: its words to the standard output, or one line of trouble and the exit code 1. */
export async function runCommand(work: () => Promise<string>): Promise<never> {
  try {
    process.stdout.write(`${await work()}\n`);
  } catch (error) {
    process.stderr.write(`${describeTrouble(error)}\n`);
    process.exitCode = 1;
  }
  // Connections to a database that does not answer may still be open.
  process.exit();
}

function describeTrouble(error: unknown): string {
  if (error instanceof StartupError) return error.message;
  const cause = error instanceof AppError && error.cause instanceof Error ? error.cause : error;
  return (cause instanceof Error ? cause.message : String(cause)).replaceAll('\n', ' ');
}

/** Lines of columns that stand below each other. */
export function toTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

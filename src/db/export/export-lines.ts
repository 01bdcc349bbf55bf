import { z } from 'zod';
import { StartupError } from '../../lib/startup-error.ts';
import { EXPORT_FORMAT, EXPORT_VERSION, type RowCounts } from './export-store.ts';

const MAX_NAME = 63;
const MAX_TABLES = 1000;

const name = z.string().min(1).max(MAX_NAME);
const headerSchema = z.object({ format: z.literal(EXPORT_FORMAT), version: z.int().min(1) });
const fullHeaderSchema = headerSchema.extend({
  schema: z.string().max(200),
  counts: z.record(name, z.int().min(0)).refine((counts) => Object.keys(counts).length <= MAX_TABLES),
});
const sectionSchema = z.object({ table: name, columns: z.array(name).min(1).max(MAX_TABLES) });
const rowSchema = z.array(z.unknown());

/** What follows, up to the next one. */
export type ExportSection = { readonly table: string; readonly columns: readonly string[] };

/** The first line: how many rows of each table there are. Throws StartupError for what this chainfolio cannot read. */
export function parseHeader(line: string, knownSchemas: readonly string[]): RowCounts {
  const value = parseJson(line);
  const { success, data } = headerSchema.safeParse(value);
  if (!success) throw new StartupError('This is no export of chainfolio.');
  if (data.version > EXPORT_VERSION) throw new StartupError(`A newer chainfolio made this export (format ${data.version}).`);
  const full = fullHeaderSchema.safeParse(value);
  if (!full.success) throw new StartupError('The first line of the export does not say what follows.');
  // Of an older schema, what was not there yet is left as a migration would have left it.
  if (!knownSchemas.includes(full.data.schema))
    throw new StartupError('A newer chainfolio made this export: its schema is not known here.');
  return full.data.counts;
}

/** A line that is no row. */
export function parseSection(line: string): ExportSection {
  const { success, data } = sectionSchema.safeParse(parseJson(line));
  if (!success) throw new StartupError('The export has a line that is neither a table nor a row.');
  return data;
}

export function parseRow(line: string, { table, columns }: ExportSection): readonly unknown[] {
  const { success, data } = rowSchema.safeParse(parseJson(line));
  if (!success || data.length !== columns.length)
    throw new StartupError(`The export has a row of ${table} that does not fit its columns.`);
  return data;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

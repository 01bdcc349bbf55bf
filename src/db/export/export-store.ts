import { type ControlledTransaction, type Kysely, sql } from 'kysely';
import { listMigrations } from '../migrations.ts';
import type { Schema } from '../schema.ts';
import { EXPORT_TABLES, type ExportColumn, type ExportTable, listExportColumns } from './export-tables.ts';

export const EXPORT_FORMAT = 'chainfolio-export';
export const EXPORT_VERSION = 1;

const ROWS_AT_ONCE = 5_000;

/** Rows by table. */
export type RowCounts = Readonly<Record<string, number>>;

/**
 * Gives everything that is to be kept, some thousand lines at a time, as it was at one moment: a header, then for each table its name and columns, followed by its rows. Equal data give equal lines.
 */
export async function* exportEverything(
  db: Kysely<Schema>,
  onCounted: (counts: RowCounts) => void,
): AsyncGenerator<readonly string[]> {
  const trx = await db.startTransaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute();
  try {
    const counts: Record<string, number> = {};
    for (const { name } of EXPORT_TABLES) counts[name] = await countRows(trx, name);
    onCounted(counts);
    const schema = (await listMigrations()).at(-1);
    yield [JSON.stringify({ format: EXPORT_FORMAT, version: EXPORT_VERSION, schema, counts })];
    for (const table of EXPORT_TABLES) yield* exportTable(trx, table);
  } finally {
    await trx.rollback().execute();
  }
}

async function countRows(trx: ControlledTransaction<Schema>, table: string): Promise<number> {
  const { rows } = await sql<{ count: string }>`select count(*) as count from ${sql.table(table)}`.execute(trx);
  return Number(rows[0]?.count);
}

async function* exportTable(trx: ControlledTransaction<Schema>, table: ExportTable): AsyncGenerator<readonly string[]> {
  const columns = await listExportColumns(trx, table);
  yield [JSON.stringify({ table: table.name, columns: columns.map(({ name }) => name) })];
  await sql`
    declare exported no scroll cursor for
    select json_build_array(${sql.join(columns.map(toJson))})::text as line
    from ${sql.table(table.name)} order by ${sql.join(await listOrder(trx, table.name))}`.execute(trx);
  for (;;) {
    const { rows } = await sql<{ line: string }>`fetch ${sql.lit(ROWS_AT_ONCE)} from exported`.execute(trx);
    if (rows.length === 0) break;
    yield rows.map(({ line }) => line);
  }
  await sql`close exported`.execute(trx);
}

/** JSON as it is; all else as text, so that no digit is lost. */
function toJson({ name, type }: ExportColumn): ReturnType<typeof sql> {
  const column = sql.ref(name);
  if (type === 'jsonb') return column;
  if (type.startsWith('timestamp')) return sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
  return sql`${column}::text`;
}

/** By the primary key, the same whatever the language of the database. */
async function listOrder(trx: ControlledTransaction<Schema>, table: string): Promise<readonly ReturnType<typeof sql>[]> {
  const { rows } = await sql<{ name: string; is_text: boolean }>`
    select a.attname as name, a.attcollation <> 0 as is_text
    from pg_index i
    cross join unnest(i.indkey) with ordinality k (attnum, place)
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
    where i.indrelid = ${table}::regclass and i.indisprimary order by k.place`.execute(trx);
  return rows.map(({ name, is_text: isText }) => (isText ? sql`${sql.ref(name)} collate "C"` : sql.ref(name)));
}

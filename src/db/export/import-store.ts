import { type Kysely, sql, type Transaction } from 'kysely';
import { StartupError } from '../../lib/startup-error.ts';
import { noteChange, SHARED_DATA_ID } from '../data-version.ts';
import { ensureMonth } from '../history/snapshot-store.ts';
import { listMigrations } from '../migrations.ts';
import type { Schema } from '../schema.ts';
import { type ExportSection, parseHeader, parseRow, parseSection } from './export-lines.ts';
import type { RowCounts } from './export-store.ts';
import { EXPORT_TABLES, type ExportColumn, listExportColumns } from './export-tables.ts';

const ROWS_AT_ONCE = 5_000;
const BYTES_AT_ONCE = 8_388_608;

/**
 * Stores the lines of an export in a database that holds nothing of a tenant yet: all of them or, when anything is wrong with one, none. Throws StartupError with what is wrong.
 */
export async function importEverything(db: Kysely<Schema>, lines: AsyncIterable<string>): Promise<RowCounts> {
  return db.transaction().execute(async (trx) => {
    await makeRoom(trx);
    const { expected, counts } = await importLines(trx, lines);
    if (EXPORT_TABLES.some(({ name }) => (expected[name] ?? 0) !== (counts[name] ?? 0))) {
      throw new StartupError('The export holds other rows than its first line says.');
    }
    const { rows: tenants } = await sql<{ id: string }>`select id from tenants order by id`.execute(trx);
    for (const { id } of [...tenants, { id: SHARED_DATA_ID }]) await noteChange(trx, id);
    return counts;
  });
}

/** Nobody else writes meanwhile. What all tenants share and nobody owns makes room for what comes. */
async function makeRoom(trx: Transaction<Schema>): Promise<void> {
  const names = EXPORT_TABLES.map(({ name }) => name);
  await sql`lock table ${sql.join(names.map((name) => sql.table(name)))} in share row exclusive mode`.execute(trx);
  for (const table of EXPORT_TABLES) {
    const columns = await listExportColumns(trx, table);
    if (!columns.some(({ name }) => name === 'tenant_id')) continue;
    const { rows } = await sql`select from ${sql.table(table.name)} limit 1`.execute(trx);
    if (rows.length > 0) throw new StartupError(`The database holds data already (${table.name}): an import needs an empty one.`);
  }
  for (const name of names.toReversed()) await sql`delete from ${sql.table(name)}`.execute(trx);
}

type Imported = { readonly expected: RowCounts; readonly counts: RowCounts };

async function importLines(trx: Transaction<Schema>, lines: AsyncIterable<string>): Promise<Imported> {
  const counts: Record<string, number> = {};
  let expected: RowCounts | undefined;
  let table: TableImport | undefined;
  for await (const line of lines) {
    if (expected === undefined) {
      expected = parseHeader(line, await listMigrations());
    } else if (line.startsWith('[') && table !== undefined) {
      await table.add(line);
      counts[table.name] = (counts[table.name] ?? 0) + 1;
    } else {
      await table?.flush();
      table = await openTable(trx, parseSection(line));
    }
  }
  await table?.flush();
  return { expected: expected ?? parseHeader('', []), counts };
}

type TableImport = { readonly name: string; add(line: string): Promise<void>; flush(): Promise<void> };

async function openTable(trx: Transaction<Schema>, section: ExportSection): Promise<TableImport> {
  const insert = await prepareInsert(trx, section);
  const ensureMonthOf = createMonths(trx, section);
  let batch: string[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await insert(batch);
    batch = [];
    bytes = 0;
  };
  return {
    name: section.table,
    flush,
    async add(line) {
      await ensureMonthOf(parseRow(line, section));
      batch.push(line);
      bytes += line.length;
      if (batch.length >= ROWS_AT_ONCE || bytes >= BYTES_AT_ONCE) await flush();
    },
  };
}

/** Checks the names against the table; the database checks the values. */
async function prepareInsert(
  trx: Transaction<Schema>,
  { table, columns }: ExportSection,
): Promise<(batch: readonly string[]) => Promise<void>> {
  const known = EXPORT_TABLES.find(({ name }) => name === table);
  if (known === undefined) throw new StartupError(`The export has a table that is not known here: ${table}.`);
  const typeOf = new Map((await listExportColumns(trx, known)).map(({ name, type }: ExportColumn) => [name, type]));
  const values = columns.map((name, place) => {
    const type = typeOf.get(name);
    if (type === undefined) throw new StartupError(`The export has a column that is not known here: ${name} of ${table}.`);
    return sql`(r ->> ${sql.lit(place)})::${sql.raw(type)}`;
  });
  return async (batch) => {
    await sql`
      insert into ${sql.table(table)} (${sql.join(columns.map((name) => sql.ref(name)))})
      select ${sql.join(values)} from json_array_elements(${`[${batch.join(',')}]`}::json) r`.execute(trx);
  };
}

/** Tables that are divided by time get the part that a row belongs into. */
function createMonths(trx: Transaction<Schema>, { table, columns }: ExportSection): (row: readonly unknown[]) => Promise<void> {
  if (table !== 'holding_points' && table !== 'price_points') return async () => undefined;
  const place = columns.indexOf('at');
  const seen = new Set<string>();
  return async (row) => {
    const at = new Date(String(row[place]));
    if (Number.isNaN(at.getTime())) throw new StartupError(`The export has a row of ${table} without its time.`);
    const month = at.toISOString().slice(0, 7);
    if (seen.has(month)) return;
    await ensureMonth(trx, table, at);
    seen.add(month);
  };
}

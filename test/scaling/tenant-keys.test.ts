import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

/**
 * A sharding extension puts a tenant's rows on one server by `tenant_id`, and can keep a key unique or a reference true only within a server: so every such
 * key must begin with that column, and every reference among such tables must carry it.
 */
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.close());

/** What tenants share: copied to every server. */
const SHARED = ['assets', 'fx_points', 'fx_rates', 'price_points', 'prices', 'tenants'];
/** What belongs to the service and not to its data. */
const OWN = /^(kysely_|service_secrets$)/;

it('each table is a tenant’s, or shared, or the service’s own', async () => {
  const tables = await listTables();
  const others = tables.filter(({ isTenants, name }) => !isTenants && !OWN.test(name));
  expect(others.map(({ name }) => name).sort()).toEqual(SHARED);
  expect(tables.filter(({ isTenants }) => isTenants).length).toBeGreaterThan(7);
});

it('the tenant leads every primary key and every unique index', async () => {
  const { rows } = await sql<{ index: string; leading: string }>`
    select i.indexrelid::regclass::text as index, a.attname as leading
    from pg_index i
    join pg_class t on t.oid = i.indrelid
    join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
    where i.indisunique and t.relname = any(${await tenantTables()}::text[])`.execute(database.db);
  expect(rows.length).toBeGreaterThan(8);
  expect(rows.filter(({ leading }) => leading !== 'tenant_id')).toEqual([]);
});

it('every table of a tenant has a primary key', async () => {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class
    where relname = any(${await tenantTables()}::text[]) and relkind in ('r', 'p')
      and not exists (select from pg_index where indrelid = pg_class.oid and indisprimary)`.execute(database.db);
  expect(rows).toEqual([]);
});

it('references among tables of a tenant carry the tenant, and nothing shared refers to a tenant’s rows', async () => {
  const { rows } = await sql<{ name: string; from: string; to: string; columns: string[] }>`
    select c.conname as name, f.relname as from, t.relname as to,
      (select array_agg(a.attname::text) from pg_attribute a where a.attrelid = c.conrelid and a.attnum = any(c.conkey)) as columns
    from pg_constraint c
    join pg_class f on f.oid = c.conrelid join pg_class t on t.oid = c.confrelid
    where c.contype = 'f' and f.relnamespace = 'public'::regnamespace`.execute(database.db);
  const tenants = await tenantTables();
  expect(rows.length).toBeGreaterThan(5);
  const crossing = rows.filter(({ to, columns }) => tenants.includes(to) && !columns.includes('tenant_id'));
  expect(crossing).toEqual([]);
});

async function tenantTables(): Promise<string[]> {
  return (await listTables()).filter(({ isTenants }) => isTenants).map(({ name }) => name);
}

async function listTables(): Promise<readonly { name: string; isTenants: boolean }[]> {
  const { rows } = await sql<{ name: string; isTenants: boolean }>`
    select t.relname as name,
      exists (select from pg_attribute a where a.attrelid = t.oid and a.attname = 'tenant_id') as "isTenants"
    from pg_class t
    where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition`.execute(database.db);
  return rows;
}

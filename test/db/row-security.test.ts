import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SHARED_DATA_ID } from '../../src/db/data-version.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import { fillDatabase } from '../support/fill-database.ts';
import { addOtherTenant, OTHER_TENANT_ID } from '../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

/** What all tenants share. */
const SHARED = ['assets', 'fx_points', 'fx_rates', 'price_points', 'prices', 'tenants'];

let database: TestDatabase;
/** What an intruder would have who can send any statement over a connection for single tenants. */
let intruder: pg.Client;
let tables: readonly string[];

beforeAll(async () => {
  database = await createTestDatabase();
  await fillDatabase(database.db);
  await addOtherTenant(database.db);
  intruder = new pg.Client({ connectionString: database.url, options: '-c role=chainfolio_app' });
  await intruder.connect();
  tables = await listTenantTables();
});

afterAll(async () => {
  await intruder.end();
  await database.close();
});

async function listTenantTables(): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class t join pg_attribute a on a.attrelid = t.oid
    where attname = 'tenant_id' and relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace
    order by relname`.execute(database.db);
  return rows.map(({ name }) => name);
}

/** What a statement of the intruder's, as one of the tenants, is answered with: the code of the error, or the number of rows. */
async function tryAs(tenantId: string, statement: string): Promise<string | number | null> {
  await intruder.query(`begin; select set_config('app.tenant', '${tenantId}', true)`);
  try {
    return (await intruder.query(statement)).rowCount;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await intruder.query('rollback');
  }
}

describe('every table of tenants', () => {
  it('forces policies on its owner too, by the tenant of the transaction', async () => {
    const { rows } = await sql<{ name: string; is_forced: boolean; policies: string[] }>`
      select relname as name, relrowsecurity and relforcerowsecurity as is_forced,
        (select array_agg(polname || ' ' || polcmd::text || ' ' || coalesce(pg_get_expr(polwithcheck, polrelid), 'using') order by polname)
          from pg_policy where polrelid = t.oid) as policies
      from pg_class t where relname = any(${tables}::text[]) and relnamespace = 'public'::regnamespace`.execute(database.db);
    expect(rows.length).toBeGreaterThan(20);
    for (const { name, is_forced: isForced, policies } of rows)
      expect({ name, isForced, policies }).toEqual({ name, isForced: true, policies: ['all_rows * using', 'own_rows * using'] });
  });

  it('shows no row to whoever names no tenant, nor to another tenant', async () => {
    const of = (table: string): string => `select from ${table} where tenant_id <> '${SHARED_DATA_ID}'`;
    for (const table of tables) {
      const { rowCount } = await intruder.query(of(table));
      expect([table, rowCount, await tryAs(OTHER_TENANT_ID, of(table))]).toEqual([table, 0, 0]);
    }
  });

  it('lets none of its rows become another tenant’s', async () => {
    const filled: string[] = [];
    for (const table of tables) {
      if ((await tryAs(TENANT, `select from ${table} limit 1`)) !== 1) continue;
      filled.push(table);
      expect([table, await tryAs(TENANT, `update ${table} set tenant_id = '${OTHER_TENANT_ID}'`)]).toEqual([table, '42501']);
    }
    expect(filled.length).toBeGreaterThan(20);
  });
});

describe('the role that tenants are served as', () => {
  it('owns nothing, is nobody else, and passes nothing by', async () => {
    const { rows } = await sql`
      select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin, rolinherit,
        (select count(*)::int from pg_shdepend where refobjid = r.oid and deptype = 'o') as owned,
        (select count(*)::int from pg_auth_members where member = r.oid) as memberships
      from pg_roles r where rolname = 'chainfolio_app'`.execute(database.db);
    expect(rows).toEqual([
      {
        ...{ rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcreatedb: false, rolcanlogin: false },
        ...{ rolinherit: false, owned: 0, memberships: 0 },
      },
    ]);
  });

  it('may read tables of tenants and what these share, and nothing else', async () => {
    const { rows } = await sql<{ name: string }>`
      select relname as name from pg_class
      where relkind in ('r', 'p', 'v', 'm') and relnamespace = 'public'::regnamespace
        and has_table_privilege('chainfolio_app', oid, 'select') order by relname`.execute(database.db);
    const readable = rows.map(({ name }) => name);
    expect(readable.filter((name) => !tables.includes(name))).toEqual(SHARED);
  });

  it('changes nothing that tenants share, but for the prices that a snapshot adds', async () => {
    const { rows } = await sql<{ name: string; privilege: string }>`
      select relname as name, privilege from pg_class cross join unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) as privilege
      where relname = any(${SHARED}::text[]) and relnamespace = 'public'::regnamespace
        and has_table_privilege('chainfolio_app', oid, privilege) order by relname, privilege`.execute(database.db);
    expect(rows).toEqual([
      { name: 'fx_points', privilege: 'INSERT' },
      { name: 'price_points', privilege: 'INSERT' },
    ]);
  });

  it('cannot get round the policies of a table by its parts', async () => {
    const { rows } = await sql<{ name: string }>`
      select inhrelid::regclass::text as name from pg_inherits where inhparent = 'holding_points'::regclass`.execute(database.db);
    expect(rows.length).toBeGreaterThan(0);
    for (const { name } of rows) expect(await tryAs(TENANT, `select from ${name}`)).toBe('42501');
  });

  it.each([
    ['turns policies off', 'alter table wallets disable row level security', '42501'],
    ['asks for no policies', 'set local row_security = off; select * from wallets', '42501'],
    [
      'says that it wants all rows',
      `set local app.scope = 'all'; select 1 / count(*) from wallets where tenant_id <> '${TENANT}'`,
      '22012',
    ],
    ['empties a table', 'truncate balances', '42501'],
    ['makes a table', 'create table mine (id int)', '42501'],
    ['adds a tenant', `insert into tenants (id, name) values ('${OTHER_TENANT_ID}', 'x')`, '42501'],
    ['deletes a tenant', `delete from tenants`, '42501'],
    ['reads the secrets of logins', 'select * from pg_authid', '42501'],
    ['reads a file', "select pg_read_file('PG_VERSION')", '42501'],
  ])('is refused when it %s', async (_, statement, code) => {
    expect(await tryAs(TENANT, statement)).toBe(code);
  });
});

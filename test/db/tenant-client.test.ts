import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { forTenant, type Sender } from '../../src/db/tenant-client.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import { addWallet } from '../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let client: pg.Client;
let tenant: Sender;

beforeAll(async () => {
  database = await createTestDatabase();
  await addWallet(database.db, TENANT);
  client = new pg.Client({ connectionString: database.url, options: '-c role=chainfolio_app', pipeline: true });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.close();
});
beforeEach(() => {
  tenant = forTenant(client, TENANT);
});

async function send(text: string, parameters: unknown[] = []): Promise<readonly unknown[]> {
  return ((await tenant.query(text, parameters)) as pg.QueryResult).rows;
}

/** What whoever gets the connection next sees. */
async function next(): Promise<unknown> {
  const { rows } = await client.query(`
    select current_setting('app.tenant', true) as tenant, (select count(*)::int from wallets) as wallets, current_user as role`);
  return rows[0];
}
const NOTHING = { tenant: '', wallets: 0, role: 'chainfolio_app' };

it('gives a single statement its own answer, and leaves nothing behind', async () => {
  expect(await send('select count(*)::int as n from wallets where family = $1', ['evm'])).toEqual([{ n: 1 }]);
  expect(await next()).toEqual(NOTHING);
});

it('writes what a single statement writes', async () => {
  await send('update wallets set label = $1', ['cold']);
  expect(await send('select label from wallets')).toEqual([{ label: 'cold' }]);
  expect(await next()).toEqual(NOTHING);
});

it('tells why a statement failed, and serves the next one', async () => {
  await expect(send('select 1 / $1::int', [0])).rejects.toMatchObject({ code: '22012' });
  expect(await next()).toEqual(NOTHING);
  await expect(send('select 1 / 0 from wallets')).rejects.toMatchObject({ code: '22012' });
  expect(await send('select count(*)::int as n from wallets')).toEqual([{ n: 1 }]);
});

it('tells of what fails at the end only', async () => {
  await sql`create table unique_in_the_end (id int unique deferrable initially deferred)`.execute(database.db);
  await sql`grant select, insert on unique_in_the_end to chainfolio_app`.execute(database.db);
  await expect(send('insert into unique_in_the_end values ($1), ($1)', [1])).rejects.toMatchObject({ code: '23505' });
  expect(await next()).toEqual(NOTHING);
  expect(await send('select id from unique_in_the_end')).toEqual([]);
});

it.each(['commit', 'rollback'])('keeps to the tenant until the %s of a transaction', async (end) => {
  await send('start transaction isolation level repeatable read');
  expect(await send('show transaction_isolation')).toEqual([{ transaction_isolation: 'repeatable read' }]);
  expect(await send('select count(*)::int as n from wallets')).toEqual([{ n: 1 }]);
  await send(end);
  expect(await next()).toEqual(NOTHING);
});

it('ends the tenant’s time with a transaction that failed', async () => {
  await send('begin');
  await expect(send('select 1 / 0')).rejects.toMatchObject({ code: '22012' });
  await send('rollback');
  expect(await next()).toEqual(NOTHING);
  expect(await send('select count(*)::int as n from wallets')).toEqual([{ n: 1 }]);
});

import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { inTransaction } from '../../src/db/transaction.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import { addOtherTenant, OTHER_TENANT_ID } from '../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
/** With one connection for single tenants, so that each has the one that another had before. */
let narrow: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  narrow = createDatabase({ url: database.url, log: { warn: () => undefined }, maxConnections: 1 });
  await addOtherTenant(database.db);
  for (const tenant of [TENANT, OTHER_TENANT_ID])
    await sql`insert into wallets (tenant_id, family, address) values (${tenant}, 'evm', ${`0x${tenant}`})`.execute(database.db);
});

afterAll(async () => {
  await narrow.close();
  await database.close();
});

type Db = TestDatabase['db'];

async function listOwners(db: Db): Promise<readonly string[]> {
  const { rows } = await sql<{ tenant_id: string }>`select tenant_id from wallets order by 1`.execute(db);
  return rows.map((row) => row.tenant_id);
}

async function addTo(db: Db, tenantId: string, address: string): Promise<void> {
  await sql`insert into wallets (tenant_id, family, address) values (${tenantId}, 'evm', ${address})`.execute(db);
}

describe('connections of a tenant', () => {
  it('see its rows alone, whatever the query asks for, and others see all', async () => {
    expect(await listOwners(narrow.tenants.of(TENANT))).toEqual([TENANT]);
    expect(await listOwners(narrow.tenants.of(OTHER_TENANT_ID))).toEqual([OTHER_TENANT_ID]);
    expect(await listOwners(narrow.tenants.all)).toEqual([TENANT, OTHER_TENANT_ID]);
  });

  it('see the same in a transaction of several statements, and write in it', async () => {
    const seen = await inTransaction(narrow.tenants.of(TENANT), async (trx) => {
      await addTo(trx, TENANT, '0x1');
      return listOwners(trx);
    });
    expect(seen).toEqual([TENANT, TENANT]);
    expect(await listOwners(narrow.tenants.of(OTHER_TENANT_ID))).toEqual([OTHER_TENANT_ID]);
  });

  it('cannot write another tenant’s row, nor touch one that is there', async () => {
    const db = narrow.tenants.of(TENANT);
    await expect(addTo(db, OTHER_TENANT_ID, '0x2')).rejects.toMatchObject({ code: '42501' });
    await expect(sql`update wallets set tenant_id = ${OTHER_TENANT_ID}`.execute(db)).rejects.toMatchObject({ code: '42501' });
    const { numAffectedRows } = await sql`delete from wallets where tenant_id = ${OTHER_TENANT_ID}`.execute(db);
    expect(numAffectedRows).toBe(0n);
  });
});

it('tells what keeps tenants apart', async () => {
  expect(await narrow.rowSecurity()).toEqual({ role: 'chainfolio_app', isForced: true, seesAll: true });
});

import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTenantStore, type TenantStore } from '../../../src/db/access/tenant-store.ts';
import { createBalanceStore } from '../../../src/db/balance-store.ts';
import { createSnapshotStore } from '../../../src/db/history/snapshot-store.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import { addAsset, addWallet, amountOf, at, readingOf } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
let store: TenantStore;
beforeAll(async () => {
  database = await createTestDatabase();
  store = createTenantStore(database.tenants);
});
afterAll(() => database.close());

async function fill(tenantId: string): Promise<void> {
  const { tenants, db } = database;
  const [wallet, asset] = [await addWallet(db, tenantId), await addAsset(db)];
  await createBalanceStore(tenants).saveReadings(tenantId, [readingOf(wallet, 0, [amountOf(asset, 5n)])]);
  await createSnapshotStore(tenants).take(tenantId, { at: at(1), grade: 'full', missing: [], excludedAssetIds: [] });
  await sql`insert into api_keys (tenant_id, id, name, scopes, secret_hash)
    values (${tenantId}, ${tenantId.slice(-12)}, 'k', '{admin}', ${Buffer.alloc(32)})`.execute(db);
}

/** Rows of a tenant, by table. */
async function rowsOf(tenantId: string): Promise<Record<string, number>> {
  const { rows: tables } = await sql<{ name: string }>`
    select relname as name from pg_attribute a join pg_class t on t.oid = a.attrelid
    where attname = 'tenant_id' and relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace`.execute(
    database.db,
  );
  const counts = await Promise.all(
    tables.map(async ({ name }) => {
      const { rows } = await sql<{
        n: number;
      }>`select count(*)::int as n from ${sql.table(name)} where tenant_id = ${tenantId}`.execute(database.db);
      return [name, rows[0]?.n ?? 0] as const;
    }),
  );
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

it('has each name once', async () => {
  const anna = await store.create('anna');
  expect(anna).toMatchObject({ name: 'anna', id: expect.any(String) });
  expect(await store.create('anna')).toBeUndefined();
  expect(await store.create('default')).toBeUndefined();
  expect(await store.rename(anna?.id ?? '', 'default')).toBeUndefined();
  expect(await store.rename(anna?.id ?? '', 'anne')).toMatchObject({ id: anna?.id, name: 'anne' });
  expect(await store.findByName('anna')).toBeUndefined();
  expect(await store.findByName('anne')).toMatchObject({ id: anna?.id });
});

it('goes with all that it has and leaves the others theirs', async () => {
  const id = (await store.create('gone'))?.id ?? '';
  for (const tenantId of [id, TENANT]) await fill(tenantId);
  expect(await store.list()).toContainEqual(expect.objectContaining({ name: 'gone', wallets: 1, usableKeys: 1 }));
  const before = await rowsOf(TENANT);
  expect(Object.keys(await rowsOf(id))).toEqual(
    expect.arrayContaining(['wallets', 'balances', 'snapshots', 'holding_points', 'api_keys', 'data_versions']),
  );
  await store.delete(id);
  expect(await rowsOf(id)).toEqual({});
  expect(await rowsOf(TENANT)).toEqual(before);
  expect((await store.list()).map(({ name }) => name)).not.toContain('gone');
});

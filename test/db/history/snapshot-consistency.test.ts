import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBalanceStore } from '../../../src/db/balance-store.ts';
import { createSnapshotStore } from '../../../src/db/history/snapshot-store.ts';
import type { Asset } from '../../../src/domain/asset.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { addAsset, addWallet, amountOf, at, failureOf, readingOf } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
let tenantId: string;
let wallet: Wallet;
let asset: Asset;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

beforeEach(async () => {
  tenantId = await addTenant();
  wallet = await addWallet(database.db, tenantId);
  asset = await addAsset(database.db);
});

const save = (seconds: number, amountRaw: bigint): Promise<unknown> =>
  createBalanceStore(database.tenants).saveReadings(tenantId, [readingOf(wallet, seconds, [amountOf(asset, amountRaw)])]);

const take = (seconds: number): Promise<boolean> =>
  createSnapshotStore(database.tenants).take(tenantId, { at: at(seconds), grade: 'full', missing: [], excludedAssetIds: [] });

async function addTenant(): Promise<string> {
  const { rows } = await sql<{ id: string }>`
    insert into tenants (id, name) select id, id::text from gen_random_uuid() as id returning id::text`.execute(database.db);
  return rows[0]?.id ?? '';
}

/** The amounts of all points or buckets, in the order of time. */
async function listAmounts(table: 'holding_points' | 'asset_hours' | 'asset_days'): Promise<readonly string[]> {
  const moment = sql.ref(table === 'holding_points' ? 'at' : 'bucket');
  const { rows } = await sql<{ amount_raw: string }>`
    select amount_raw from ${sql.table(table)} where tenant_id = ${tenantId} order by ${moment}`.execute(database.db);
  return rows.map((row) => row.amount_raw);
}

it('tells the same amount in points and buckets, though it moves while the snapshot is taken', async () => {
  await save(0, 3n);
  const locked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const blocking = database.db.transaction().execute(async (trx) => {
    // The snapshot comes here after the points and before the buckets.
    await sql`lock table exclusion_points in access exclusive mode`.execute(trx);
    locked.resolve();
    await released.promise;
  });
  await locked.promise;
  const taking = take(10);
  try {
    await waitForBlocked();
    await save(5, 8n);
  } finally {
    released.resolve();
  }
  await Promise.all([blocking, taking]);
  expect(await listAmounts('holding_points')).toEqual(['3']);
  expect(await listAmounts('asset_hours')).toEqual(['3']);
  expect(await listAmounts('asset_days')).toEqual(['3']);
});

it('is taken of many tenants at once when a month begins', async () => {
  const tenantIds = await Promise.all([1, 2, 3, 4, 5, 6].map(addTenant));
  const store = createSnapshotStore(database.tenants);
  for (const month of [0, 1, 2]) {
    const snapshot = { at: new Date(Date.UTC(2031, month)), grade: 'full', missing: [], excludedAssetIds: [] } as const;
    expect(await Promise.all(tenantIds.map((id) => store.take(id, snapshot)))).not.toContain(false);
  }
});

/** Until somebody waits for the lock. */
async function waitForBlocked(): Promise<void> {
  for (;;) {
    const { rows } = await sql`
      select from pg_locks where relation = 'exclusion_points'::regclass and not granted`.execute(database.db);
    if (rows.length > 0) return;
  }
}

describe('what was filled in of the past before anything was read', () => {
  beforeEach(async () => {
    const row = { tenant_id: tenantId, wallet_id: wallet.id, asset_id: asset.id, position: 'wallet' as const };
    await take(0);
    await sql`
      insert into holding_series (tenant_id, wallet_id, asset_id, position, chain, amount_raw)
      values (${row.tenant_id}, ${row.wallet_id}, ${row.asset_id}, ${row.position}, 'ethereum', 100)`.execute(database.db);
    await sql`
      insert into holding_points (tenant_id, wallet_id, asset_id, position, at, amount_raw)
      values (${row.tenant_id}, ${row.wallet_id}, ${row.asset_id}, ${row.position}, ${at(0)}, 100)`.execute(database.db);
  });

  it('is carried while its source was never read', async () => {
    await createBalanceStore(database.tenants).saveReadings(tenantId, [failureOf(wallet, 5)]);
    await take(10);
    expect(await listAmounts('holding_points')).toEqual(['100']);
    expect(await listAmounts('asset_hours')).toEqual(['100']);
  });

  it('ends once its source was read without it, or is followed no more', async () => {
    await createBalanceStore(database.tenants).saveReadings(tenantId, [readingOf(wallet, 5, [])]);
    await take(10);
    expect(await listAmounts('holding_points')).toEqual(['100', '0']);
    await sql`update holding_series set amount_raw = 100 where tenant_id = ${tenantId}`.execute(database.db);
    await sql`delete from wallets where tenant_id = ${tenantId}`.execute(database.db);
    await take(20);
    expect(await listAmounts('holding_points')).toEqual(['100', '0', '0']);
  });
});

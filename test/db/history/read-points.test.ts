import { afterAll, beforeAll, expect, it } from 'vitest';
import { createBalanceStore } from '../../../src/db/balance-store.ts';
import { type AssetRule, createHistoryStore, type HistoryStore } from '../../../src/db/history/history-store.ts';
import { createSnapshotStore } from '../../../src/db/history/snapshot-store.ts';
import { createPriceStore } from '../../../src/db/price-store.ts';
import { Decimal } from '../../../src/domain/decimal.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import { addAsset, addWallet, amountOf, at, readingOf } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const MINUTES = 40;
let database: TestDatabase;
let history: HistoryStore;
let rules: readonly AssetRule[];

beforeAll(async () => {
  database = await createTestDatabase();
  const { db, tenants } = database;
  history = createHistoryStore(tenants);
  const [wallet, other] = [await addWallet(db, TENANT), await addWallet(db, TENANT)];
  const [busy, idle] = [await addAsset(db, { decimals: 0 }), await addAsset(db, { decimals: 0 })];
  rules = [busy, idle].map(({ id }) => ({ assetId: id, unit: '1', manualPrice: null }));
  const [balances, snapshots, prices] = [createBalanceStore(tenants), createSnapshotStore(tenants), createPriceStore(tenants)];
  for (let minute = 0; minute < MINUTES; minute++) {
    const now = minute * 60;
    const lastGood = { value: new Decimal(minute + 1), source: 'test', quotedAt: at(now) };
    await prices.savePrices(
      new Map([busy, idle].map(({ id }) => [id, { assetId: id, lastGood, suspect: null, checkedAt: at(now), attempts: [] }])),
    );
    await balances.saveReadings(TENANT, [
      readingOf(wallet, now, [amountOf(busy, BigInt(minute * minute)), amountOf(idle, 7n)]),
      // Sold and bought again.
      ...(minute < 5 ? [] : [readingOf(other, now, [amountOf(busy, minute % 10 === 0 ? 0n : BigInt(1000 + minute))])]),
    ]);
    await snapshots.take(TENANT, { at: at(now), grade: 'full', missing: [], excludedAssetIds: [] });
  }
});
afterAll(() => database.close());

/** What each wallet was worth at these minutes. */
async function read(minutes: readonly number[]): Promise<readonly string[]> {
  const intervals = minutes.map((minute) => ({ from: at(minute * 60 - 1), to: at(minute * 60) }));
  const snapshots = await history.findSnapshots(TENANT, intervals, 'raw');
  const values = await history.readPoints(TENANT, { snapshots, rules, walletIds: null, groupBy: 'wallet' });
  return values.map(({ place, key, usdValue }) => `${minutes[place]} ${key} ${usdValue.toFixed()}`).toSorted();
}

it('says the same of a moment whether few or many are shown', async () => {
  const all = await read(Array.from({ length: MINUTES }, (_, minute) => minute));
  // Between the two there are more moves than it takes to look each amount up.
  const some = [4, 30];
  const few = await read(some);
  expect(few).toEqual(all.filter((line) => some.includes(Number.parseInt(line, 10))));
  expect(few.map((line) => line.split(' ')[2]).toSorted()).toEqual(
    [String((30 * 30 + 7) * 31), '0', String((4 * 4 + 7) * 5)].toSorted(),
  );
});

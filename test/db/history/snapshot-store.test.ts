import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createBalanceStore } from '../../../src/db/balance-store.ts';
import { type AssetRule, createHistoryStore, type HistoryStore, type ValueAt } from '../../../src/db/history/history-store.ts';
import { createSnapshotStore, type SnapshotStore } from '../../../src/db/history/snapshot-store.ts';
import { createPriceStore } from '../../../src/db/price-store.ts';
import type { Asset } from '../../../src/domain/asset.ts';
import { Decimal } from '../../../src/domain/decimal.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { addAsset, addWallet, amountOf, at, readingOf } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const HOUR = 3600;
const NEVER = new AbortController().signal;
let database: TestDatabase;
let snapshots: SnapshotStore;
let history: HistoryStore;
let [alice, bob]: Wallet[] = [];
let [token, dust]: Asset[] = [];

async function hold(wallet: Wallet | undefined, asset: Asset | undefined, seconds: number, amountRaw: bigint): Promise<void> {
  if (wallet === undefined || asset === undefined) throw new Error('set up first');
  const block = { number: 1n, hash: null };
  await createBalanceStore(database.tenants).saveReadings(TENANT, [
    readingOf(wallet, seconds, [amountOf(asset, amountRaw)], { block }),
  ]);
}

async function quote(asset: Asset | undefined, seconds: number, value: string): Promise<void> {
  const lastGood = { value: new Decimal(value), source: 'test', quotedAt: at(seconds) };
  const price = { lastGood, suspect: null, checkedAt: at(seconds), attempts: [] };
  await createPriceStore(database.tenants).savePrices(new Map([[asset?.id ?? '', price]]));
}

const take = (seconds: number): Promise<boolean> =>
  snapshots.take(TENANT, { at: at(seconds), grade: 'full', missing: [], excludedAssetIds: [] });

/** Values at the ends of these hours after the first moment, in both ways of reading, which must agree. */
async function read(hours: readonly number[], manualPrice: string | null = null): Promise<readonly string[]> {
  const rules: AssetRule[] = [
    { assetId: token?.id ?? '', unit: '0.01', manualPrice },
    { assetId: dust?.id ?? '', unit: '1', manualPrice: null },
  ];
  const intervals = hours.map((hour) => ({ from: at((hour - 1) * HOUR), to: at(hour * HOUR) }));
  const found = await history.findSnapshots(TENANT, intervals, 'raw');
  const hourly = await history.findSnapshots(TENANT, intervals, 'hour');
  expect(hourly).toEqual(found);
  const show = (values: readonly ValueAt[]): string[] =>
    values.map(({ place, usdValue, unpricedCount }) => `${place}: ${usdValue.toFixed()}, ${unpricedCount} unpriced`);
  const points = await history.readPoints(TENANT, { snapshots: found, rules, walletIds: null, groupBy: 'total' });
  expect(show(await history.readBuckets(TENANT, { snapshots: hourly, rules, bucket: 'hour', byAsset: false }))).toEqual(
    show(points),
  );
  return show(points);
}

beforeAll(async () => {
  database = await createTestDatabase();
  snapshots = createSnapshotStore(database.tenants);
  history = createHistoryStore(database.tenants);
  alice = await addWallet(database.db, TENANT);
  bob = await addWallet(database.db, TENANT);
  token = await addAsset(database.db, { decimals: 2 });
  dust = await addAsset(database.db, { decimals: 0 });
  await hold(alice, token, 0, 1000n);
  await hold(bob, token, 0, 500n);
  await quote(token, 0, '2');
  expect(await take(0)).toBe(true);
  await hold(alice, token, HOUR, 3000n);
  await quote(token, HOUR, '4');
  await take(HOUR);
  await take(2 * HOUR);
  await hold(bob, dust, 3 * HOUR, 7n);
  await hold(bob, token, 3 * HOUR + 1, 0n);
  await take(3 * HOUR + 2);
});
afterAll(() => database.close());

it('tells the worth of each moment, exactly, the same from buckets and from points', async () => {
  expect(await read([0, 1, 2, 4])).toEqual([
    '0: 30, 0 unpriced',
    '1: 140, 0 unpriced',
    '2: 140, 0 unpriced',
    '3: 120, 1 unpriced',
  ]);
});

it('values the past by the word of today', async () => {
  expect(await read([0, 4], '10')).toEqual(['0: 150, 0 unpriced', '1: 300, 1 unpriced']);
});

it('writes a point only for what moved', async () => {
  const { rows } = await sql<{ count: string }>`select count(*) from holding_points`.execute(database.db);
  expect(rows).toEqual([{ count: '5' }]);
});

it('writes nothing twice, and nothing before what is written', async () => {
  expect(await take(3 * HOUR + 2)).toBe(false);
  expect(await take(HOUR + 1)).toBe(false);
  const same = await Promise.all([1, 2, 3, 4].map(() => take(4 * HOUR)));
  expect(same.filter(Boolean)).toHaveLength(1);
});

it('tells each wallet apart, and a wallet alone', async () => {
  const found = await history.findSnapshots(TENANT, [{ from: at(-1), to: at(HOUR) }], 'raw');
  const rules = [{ assetId: token?.id ?? '', unit: '0.01', manualPrice: null }];
  const apart = await history.readPoints(TENANT, { snapshots: found, rules, walletIds: null, groupBy: 'wallet' });
  expect(new Map(apart.map(({ key, usdValue }) => [key, usdValue.toFixed()]))).toEqual(
    new Map([
      [alice?.id, '120'],
      [bob?.id, '20'],
    ]),
  );
  const alone = await history.readPoints(TENANT, { snapshots: found, rules, walletIds: [bob?.id ?? ''], groupBy: 'total' });
  expect(alone.map(({ usdValue }) => usdValue.toFixed())).toEqual(['20']);
});

it('thins out what is old, and tells the same at the hours and days that stay', async () => {
  const old = Math.round((Date.UTC(2024, 2, 5, 10) - at(0).getTime()) / 1000);
  const other = await createTestDatabase();
  const main = database;
  database = other;
  try {
    const store = createSnapshotStore(other.tenants);
    const wallet = await addWallet(other.db, TENANT);
    const asset = await addAsset(other.db, { decimals: 0 });
    for (const [minute, amount] of [1, 2, 3, 4, 5, 6].entries()) {
      await hold(wallet, asset, old + minute * 1200, BigInt(amount));
      await store.take(TENANT, { at: at(old + minute * 1200), grade: 'full', missing: [], excludedAssetIds: [] });
    }
    const count = async (table: string): Promise<number> =>
      Number((await sql<{ count: string }>`select count(*) from ${sql.table(table)}`.execute(other.db)).rows[0]?.count);
    await store.thin({ rawDays: 30, hourlyDays: 365_000 }, NEVER);
    expect([await count('snapshots'), await count('holding_points'), await count('snapshot_hours')]).toEqual([2, 2, 2]);
    await store.thin({ rawDays: 30, hourlyDays: 365_000 }, NEVER);
    expect(await count('holding_points')).toBe(2);
    await store.thin({ rawDays: 30, hourlyDays: 365 }, NEVER);
    expect([
      await count('snapshots'),
      await count('holding_points'),
      await count('snapshot_hours'),
      await count('asset_hours'),
    ]).toEqual([1, 1, 0, 0]);
    const { rows } = await sql`select amount_raw from asset_days`.execute(other.db);
    expect(rows).toEqual([{ amount_raw: '6' }]);
  } finally {
    database = main;
    await other.close();
  }
});

it('keeps what a snapshot could not rely on', async () => {
  const missing = [
    {
      walletId: alice?.id ?? '',
      chain: 'ethereum',
      kind: 'balances',
      reason: 'stale',
      observedAt: at(0),
      code: 'upstream_timeout',
    } as const,
  ];
  await snapshots.take(TENANT, { at: at(9 * HOUR), grade: 'partial', missing, excludedAssetIds: [] });
  expect(await snapshots.getLatest(TENANT)).toEqual({ at: at(9 * HOUR), grade: 'partial', missing });
});

it('knows the time', async () => {
  const before = await snapshots.readClock();
  expect((await snapshots.readClock()).getTime()).toBeGreaterThanOrEqual(before.getTime());
  expect(Math.abs(before.getTime() - Date.now())).toBeLessThan(3_600_000);
});

it('reads no more values than it was asked for', async () => {
  const rules = [{ assetId: token?.id ?? '', unit: '0.01', manualPrice: null }];
  const intervals = [0, 1, 2].map((hour) => ({ from: at((hour - 1) * HOUR), to: at(hour * HOUR) }));
  const found = await history.findSnapshots(TENANT, intervals, 'hour');
  const query = { snapshots: found, rules, limit: 2 };
  const points = await history.readPoints(TENANT, { ...query, walletIds: null, groupBy: 'asset' });
  const buckets = await history.readBuckets(TENANT, { ...query, bucket: 'hour', byAsset: true });
  expect(points.map(({ place }) => place)).toEqual([0, 1]);
  expect(buckets).toEqual(points);
});

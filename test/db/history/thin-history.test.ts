import fc from 'fast-check';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createBalanceStore } from '../../../src/db/balance-store.ts';
import { readVersion } from '../../../src/db/data-version.ts';
import { createHistoryStore } from '../../../src/db/history/history-store.ts';
import { createSnapshotStore } from '../../../src/db/history/snapshot-store.ts';
import { createPriceStore } from '../../../src/db/price-store.ts';
import type { Asset } from '../../../src/domain/asset.ts';
import { Decimal } from '../../../src/domain/decimal.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { addAsset, addOtherTenant, addWallet, amountOf, OTHER_TENANT_ID, readingOf } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const NEVER = new AbortController().signal;
const ALL_HOURS = { rawDays: 30, hourlyDays: 365_000 };
const DAYS = { rawDays: 30, hourlyDays: 60 };
const START = Date.UTC(2024, 1, 28, 22);

let database: TestDatabase;
let wallet: Wallet;
let asset: Asset;
beforeEach(async () => {
  database = await createTestDatabase();
  wallet = await addWallet(database.db, TENANT);
  asset = await addAsset(database.db, { decimals: 0 });
});
afterEach(() => database.close());

const moment = (minutes: number): Date => new Date(START + minutes * 60_000);

async function write(minutes: number, { amount, price }: { amount: number; price: number }): Promise<void> {
  const at = moment(minutes);
  const { db, tenants } = database;
  await createBalanceStore(tenants).saveReadings(TENANT, [
    readingOf(wallet, minutes, [amountOf(asset, BigInt(amount))], { observedAt: at }),
  ]);
  // Quoted a while before it is used.
  const lastGood = { value: new Decimal(price), source: 'test', quotedAt: new Date(at.getTime() - 7 * 60_000) };
  await createPriceStore(tenants).savePrices(new Map([[asset.id, { lastGood, suspect: null, checkedAt: at, attempts: [] }]]));
  await sql`insert into fx_rates (currency, per_usd, source, quoted_at) values ('EUR', ${price}, 'test', ${at})
    on conflict (currency) do update set per_usd = excluded.per_usd, quoted_at = excluded.quoted_at`.execute(db);
  await createSnapshotStore(tenants).take(TENANT, { at, grade: 'full', missing: [], excludedAssetIds: [] });
}

async function listMoments(): Promise<readonly Date[]> {
  return (await sql<{ at: Date }>`select at from snapshots order by at`.execute(database.db)).rows.map(({ at }) => at);
}

/** What each of the moments was worth, from the points, and what a dollar was. */
async function tell(moments: readonly Date[]): Promise<readonly string[]> {
  const history = createHistoryStore(database.tenants);
  const snapshots = moments.map((at, place) => ({ place, snapshot: { at, grade: 'full' as const, missing: [] } }));
  const rules = [{ assetId: asset.id, unit: '1', manualPrice: null }];
  const values = await history.readPoints(TENANT, { snapshots, rules, walletIds: null, groupBy: 'total' });
  const rates = await history.readRates('EUR', moments);
  return values.map(
    ({ place, usdValue, unpricedCount }) => `${usdValue.toFixed()} ${unpricedCount} ${rates.get(place)?.toFixed()}`,
  );
}

async function countRows(): Promise<Readonly<Record<string, number>>> {
  const tables = ['snapshots', 'holding_points', 'price_points', 'fx_points', 'snapshot_hours', 'asset_hours', 'snapshot_days'];
  const counts = tables.map(async (table) => {
    const { rows } = await sql<{ count: string }>`select count(*) from ${sql.table(table)}`.execute(database.db);
    return [table, Number(rows[0]?.count)] as const;
  });
  return Object.fromEntries(await Promise.all(counts));
}

const step = fc.record({
  minutes: fc.integer({ min: 1, max: 300 }),
  amount: fc.integer({ min: 1, max: 3 }),
  price: fc.integer({ min: 1, max: 9 }),
});

it('leaves each snapshot that stays what it told, whatever came when', async () => {
  const thin = (keep: typeof DAYS) => createSnapshotStore(database.tenants).thin(keep, NEVER);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 14 }), async (steps) => {
      await sql`truncate snapshots, snapshot_hours, snapshot_days, holding_points, holding_series, price_points, fx_points, fx_rates, history_thinning, balances, sources, prices cascade`.execute(
        database.db,
      );
      let minutes = 0;
      for (const { minutes: pause, ...values } of steps) {
        minutes += pause;
        await write(minutes, values);
      }
      for (const keep of [ALL_HOURS, DAYS]) {
        const before = new Map((await tell(await listMoments())).map((told, place) => [place, told]));
        const all = await listMoments();
        await thin(keep);
        const left = await listMoments();
        const unit = keep === ALL_HOURS ? 3_600_000 : 86_400_000;
        const lastOf = new Map(all.map((at) => [Math.floor(at.getTime() / unit), at]));
        expect(left).toEqual([...lastOf.values()]);
        expect(await tell(left)).toEqual(left.map((at) => before.get(all.findIndex((one) => one.getTime() === at.getTime()))));
        const counts = await countRows();
        await thin(keep);
        expect(await countRows()).toEqual(counts);
        expect(counts.holding_points).toBeLessThanOrEqual(left.length);
      }
      expect(await countRows()).toMatchObject({ snapshot_hours: 0, asset_hours: 0 });
    }),
    { numRuns: 3 },
  );
}, 60_000);

it('is safe when several workers do it at once, and tells that the past looks otherwise now', async () => {
  for (let minute = 0; minute < 10; minute += 1) await write(minute, { amount: minute + 1, price: minute + 1 });
  const before = await readVersion(database.db, TENANT);
  await Promise.all([1, 2, 3].map(() => createSnapshotStore(database.tenants).thin(ALL_HOURS, NEVER)));
  expect(await listMoments()).toEqual([moment(9)]);
  expect(await tell([moment(9)])).toEqual(['100 0 10']);
  expect((await readVersion(database.db, TENANT)).own).toBeGreaterThan(before.own);
  const after = await readVersion(database.db, TENANT);
  await createSnapshotStore(database.tenants).thin(ALL_HOURS, NEVER);
  expect(await readVersion(database.db, TENANT)).toEqual(after);
});

it('keeps what is young, goes through more amounts than one batch has, and goes on where it was stopped', async () => {
  const { db, tenants } = database;
  await write(0, { amount: 1, price: 1 });
  await write(1, { amount: 2, price: 2 });
  const today = Date.now();
  await sql`insert into snapshots (tenant_id, at, grade) select ${TENANT}, ${new Date(today)}::timestamptz - n * interval '1 minute', 'full' from generate_series(0, 5) as n`.execute(
    db,
  );
  await sql`
    with more as (
      insert into assets (chain, address, standard, listed) select 'ethereum', 'more ' || n, 'erc20', false from generate_series(1, 250) as n returning id
    ), series as (
      insert into holding_series (tenant_id, wallet_id, asset_id, position, chain, amount_raw)
      select ${TENANT}, ${wallet.id}, id, 'wallet', 'ethereum', 1 from more
    )
    insert into holding_points (tenant_id, wallet_id, asset_id, position, at, amount_raw)
    select ${TENANT}, ${wallet.id}, id, 'wallet', at, 1 from more, unnest(array[${moment(0)}::timestamptz, ${moment(1)}::timestamptz]) as at`.execute(
    db,
  );
  const store = createSnapshotStore(tenants);
  await store.thin(ALL_HOURS, AbortSignal.abort());
  expect((await countRows()).holding_points).toBe(502);
  await store.thin(ALL_HOURS, NEVER);
  expect(await countRows()).toMatchObject({ snapshots: 7, holding_points: 251, price_points: 1, fx_points: 1 });
});

it('changes nothing for who has begun to read', async () => {
  await write(0, { amount: 5, price: 3 });
  const rules = [{ assetId: asset.id, unit: '1', manualPrice: null }];
  const values = await createHistoryStore(database.tenants).readTogether(TENANT, async (history) => {
    const snapshots = await history.findSnapshots(TENANT, [{ from: new Date(0), to: moment(60) }], 'hour');
    await createSnapshotStore(database.tenants).thin(DAYS, NEVER);
    return history.readBuckets(TENANT, { snapshots, rules, bucket: 'hour', byAsset: false });
  });
  expect(values.map(({ usdValue }) => usdValue.toFixed())).toEqual(['15']);
  expect(await countRows()).toMatchObject({ snapshot_hours: 0 });
});

it('keeps a price by which the last snapshot of another tenant goes', async () => {
  const { db, tenants } = database;
  await addOtherTenant(db);
  for (const minutes of [0, 10, 20, 30, 40]) await write(minutes, { amount: 1, price: minutes + 1 });
  // It goes by the quote of minute 10, which was made seven minutes before; that of minute 0 is of an hour of its own.
  await createSnapshotStore(tenants).take(OTHER_TENANT_ID, { at: moment(12), grade: 'full', missing: [], excludedAssetIds: [] });
  await createSnapshotStore(tenants).thin(ALL_HOURS, NEVER);
  const { rows } = await sql<{ value: string }>`select value from price_points order by at`.execute(db);
  expect(rows.map(({ value }) => value)).toEqual(['1', '11', '41']);
});

import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createHistoryStore, type HistoryStore } from '../../../src/db/history/history-store.ts';
import { Decimal } from '../../../src/domain/decimal.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import { addAsset, at, UNKNOWN_ID } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const WALLETS = ['0198b000-0000-7000-8000-000000000001', '0198b000-0000-7000-8000-000000000002'];

let database: TestDatabase;
let history: HistoryStore;
let assetIds: string[];

beforeAll(async () => {
  database = await createTestDatabase();
  history = createHistoryStore(database.tenants);
  assetIds = [];
  for (let index = 0; index < 3; index += 1) assetIds.push((await addAsset(database.db)).id);
  for (const table of ['holding_points', 'price_points']) {
    await sql`create table ${sql.table(`${table}_all`)} partition of ${sql.table(table)} default`.execute(database.db);
  }
});
afterAll(() => database.close());

type Point = { readonly wallet: number; readonly asset: number; readonly second: number; readonly amount: number };
type Price = { readonly asset: number; readonly second: number; readonly value: number };

async function write(points: readonly Point[], prices: readonly Price[]): Promise<void> {
  const { db } = database;
  await sql`truncate holding_points, holding_series, price_points`.execute(db);
  for (const { wallet, asset, second, amount } of points) {
    const key = [WALLETS[wallet], assetIds[asset]];
    await sql`insert into holding_series (tenant_id, wallet_id, asset_id, position, chain, amount_raw)
      values (${TENANT}, ${key[0]}, ${key[1]}, 'wallet', 'ethereum', 0) on conflict do nothing`.execute(db);
    await sql`insert into holding_points (tenant_id, wallet_id, asset_id, position, at, amount_raw)
      values (${TENANT}, ${key[0]}, ${key[1]}, 'wallet', ${at(second)}, ${amount})`.execute(db);
  }
  for (const { asset, second, value } of prices) {
    await sql`insert into price_points (asset_id, at, value, source) values (${assetIds[asset]}, ${at(second)}, ${value}, 'test')`.execute(
      db,
    );
  }
}

function lastBefore<T extends { readonly second: number }>(all: readonly T[], second: number): T | undefined {
  return all.filter((one) => one.second <= second).toSorted((a, b) => b.second - a.second)[0];
}

/** The same, point by point: by key and place, the worth and how many assets have no price. */
function expectValues(
  { points, prices, seconds }: { points: readonly Point[]; prices: readonly Price[]; seconds: readonly number[] },
  keyOf: (wallet: number, asset: number) => string | null,
): readonly string[] {
  const sums = new Map<string, { value: Decimal; amounts: Map<number, number> }>();
  for (const [place, second] of seconds.entries()) {
    for (const wallet of [0, 1]) {
      for (const asset of [0, 1, 2]) {
        const held = lastBefore(
          points.filter((one) => one.wallet === wallet && one.asset === asset),
          second,
        );
        if (held === undefined) continue;
        const name = `${place} ${keyOf(wallet, asset)}`;
        const sum = sums.get(name) ?? { value: new Decimal(0), amounts: new Map() };
        // The third asset has the owner's price, the second one no decimals.
        const price =
          asset === 2
            ? 7
            : lastBefore(
                prices.filter((one) => one.asset === asset),
                second,
              )?.value;
        if (price !== undefined && asset !== 1) sum.value = sum.value.plus(new Decimal(held.amount).times('0.01').times(price));
        else sum.amounts.set(asset, (sum.amounts.get(asset) ?? 0) + held.amount);
        sums.set(name, sum);
      }
    }
  }
  return [...sums].map(
    ([name, { value, amounts }]) => `${name} ${value.toFixed()} ${[...amounts.values()].filter((amount) => amount > 0).length}`,
  );
}

const second = fc.integer({ min: 0, max: 30 });
const small = fc.integer({ min: 0, max: 5 });

it('adds up what moved to what was held at each moment', async () => {
  const point = fc.record({
    wallet: fc.integer({ min: 0, max: 1 }),
    asset: fc.integer({ min: 0, max: 2 }),
    second,
    amount: small,
  });
  const price = fc.record({ asset: fc.integer({ min: 0, max: 2 }), second, value: fc.integer({ min: 1, max: 9 }) });
  const rules = assetIds.map((assetId, asset) => ({
    assetId,
    unit: asset === 1 ? null : '0.01',
    manualPrice: asset === 2 ? '7' : null,
  }));
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(point, { maxLength: 12, selector: (one) => `${one.wallet} ${one.asset} ${one.second}` }),
      fc.uniqueArray(price, { maxLength: 6, selector: (one) => `${one.asset} ${one.second}` }),
      fc.uniqueArray(second, { minLength: 1, maxLength: 8 }),
      async (points, prices, moments) => {
        await write(points, prices);
        const seconds = moments.toSorted((a, b) => a - b);
        const snapshots = seconds.map((one, place) => ({
          place,
          snapshot: { at: at(one), grade: 'full' as const, missing: [] },
        }));
        const keys = {
          total: () => null,
          asset: (_wallet: number, asset: number) => assetIds[asset] ?? '',
          wallet: (wallet: number) => WALLETS[wallet] ?? '',
        };
        for (const groupBy of ['total', 'asset', 'wallet'] as const) {
          const values = await history.readPoints(TENANT, { snapshots, rules, walletIds: null, groupBy });
          const told = values.map(
            ({ place, key, usdValue, unpricedCount }) => `${place} ${key} ${usdValue.toFixed()} ${unpricedCount}`,
          );
          expect(told.toSorted()).toEqual(expectValues({ points, prices, seconds }, keys[groupBy]).toSorted());
        }
      },
    ),
    { numRuns: 25 },
  );
}, 60_000);

it('tells nothing of no moments, no assets and wallets that were never there', async () => {
  const snapshots = [{ place: 0, snapshot: { at: at(30), grade: 'full' as const, missing: [] } }];
  const rules = assetIds.map((assetId) => ({ assetId, unit: '1', manualPrice: '1' }));
  const read = (query: Partial<Parameters<HistoryStore['readPoints']>[1]>) =>
    history.readPoints(TENANT, { snapshots, rules, walletIds: null, groupBy: 'total', ...query });
  expect(await read({ snapshots: [] })).toEqual([]);
  expect(await read({ rules: [] })).toEqual([]);
  expect(await read({ walletIds: [UNKNOWN_ID, 'no uuid'] })).toEqual([]);
  await write([{ wallet: 0, asset: 0, second: 1, amount: 5 }], []);
  expect(await history.findWallets(TENANT, [WALLETS[0] ?? '', UNKNOWN_ID, 'no uuid'])).toEqual([WALLETS[0]]);
  expect(await history.listAssetIds(TENANT)).toEqual([assetIds[0]]);
});

it('tells a currency rate over holidays, and none from long ago', async () => {
  const DAY = 86_400;
  await sql`insert into fx_points (currency, at, per_usd, source) values ('NOK', ${at(0)}, '10', 'test')`.execute(database.db);
  const rates = await history.readRates('NOK', [at(-1), at(0), at(6 * DAY), at(7 * DAY)]);
  expect([...rates].map(([place, rate]) => [place, rate.toFixed()])).toEqual([
    [1, '10'],
    [2, '10'],
  ]);
});

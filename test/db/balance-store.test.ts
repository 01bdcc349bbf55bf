import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAssetStore } from '../../src/db/asset-store.ts';
import { type BalanceStore, createBalanceStore } from '../../src/db/balance-store.ts';
import { createWalletStore } from '../../src/db/wallet-store.ts';
import type { Asset } from '../../src/domain/asset.ts';
import type { Holding, SourceReading, SourceState } from '../../src/domain/holding.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import type { Wallet } from '../../src/domain/wallet.ts';
import {
  addAsset,
  addOtherTenant,
  addWallet,
  amountOf,
  countStatements,
  ETHER,
  failureOf,
  newAsset,
  newWallet,
  OTHER_TENANT_ID,
  readingOf,
  TIMEOUT,
} from '../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let store: BalanceStore;
let wallet: Wallet;
let token: Asset;
let ether: Asset;
beforeAll(async () => {
  database = await createTestDatabase();
  store = createBalanceStore(database.tenants);
  await addOtherTenant(database.db);
  ether = await addAsset(database.db, ETHER);
});
beforeEach(async () => {
  wallet = await addWallet(database.db, TENANT, { chains: ['ethereum', 'solana'] });
  token = await addAsset(database.db);
});
afterAll(() => database.close());

async function holdings(of: Wallet = wallet, tenantId = TENANT): Promise<readonly Holding[]> {
  return store.listHoldings(tenantId, { walletIds: [of.id], chains: null });
}
async function sources(of: Wallet = wallet, tenantId = TENANT): Promise<readonly SourceState[]> {
  return store.listSources(tenantId, { walletIds: [of.id], chains: null });
}
const save = (...readings: SourceReading[]): Promise<void> => store.saveReadings(TENANT, readings);
const failed = (asset: Asset) => ({ status: 'failed', asset, error: TIMEOUT }) as const;

describe('saving at once', () => {
  it('ends with the newest reading whatever the order, without a deadlock', async () => {
    const added = await createWalletStore(database.tenants).addMany(
      TENANT,
      Array.from({ length: 50 }, () => newWallet()),
    );
    const ids = added.map((entry) => entry.wallet);
    await Promise.all(
      [3, 9, 1, 7, 5, 8, 2, 6, 4].map((seconds) =>
        save(
          ...(seconds % 2 === 0 ? ids : ids.toReversed()).map((entry) =>
            readingOf(entry, seconds, [amountOf(token, BigInt(seconds)), amountOf(ether, 0n)]),
          ),
        ),
      ),
    );
    const found = await store.listHoldings(TENANT, { walletIds: ids.map((entry) => entry.id), chains: null });
    expect(found).toHaveLength(100);
    expect(found.filter((holding) => holding.asset.id === token.id).every((holding) => holding.amountRaw === 9n)).toBe(true);
  });
});

it('stores 20,000 readings in a handful of statements', async () => {
  const assets = await createAssetStore(database.tenants).upsertMany(Array.from({ length: 200 }, () => newAsset()));
  const added = await createWalletStore(database.tenants).addMany(
    TENANT,
    Array.from({ length: 100 }, () => newWallet()),
  );
  const readings = (seconds: number, amount: (index: number) => bigint) =>
    added.map((entry) =>
      readingOf(
        entry.wallet,
        seconds,
        assets.map((asset, index) => amountOf(asset, amount(index))),
      ),
    );
  const counting = countStatements(database.tenants);
  await createBalanceStore(counting.db).saveReadings(
    TENANT,
    readings(1, (index) => BigInt(index + 1)),
  );
  await createBalanceStore(counting.db).saveReadings(
    TENANT,
    readings(2, (index) => BigInt(index % 2)),
  );
  expect(counting.count()).toBeLessThanOrEqual(15);
  const filter = { walletIds: added.map((entry) => entry.wallet.id), chains: null };
  expect(await createBalanceStore(counting.db).listHoldings(TENANT, filter)).toHaveLength(10_000);
});

describe('listing', () => {
  it('is sorted by wallet, chain and asset, and filtered by wallet and chain', async () => {
    const second = await addWallet(database.db, TENANT, { chains: ['base', 'ethereum'] });
    const onBase = await addAsset(database.db, { chain: 'base' });
    const other = await addAsset(database.db);
    await save(
      readingOf(second, 1, [amountOf(other, 1n), amountOf(token, 1n)]),
      readingOf(second, 1, [amountOf(onBase, 1n)], { chain: 'base' }),
      readingOf(wallet, 1, [amountOf(token, 1n)]),
    );
    const ids = [wallet.id, second.id];
    const list = async (walletIds: string[] | null, chains: string[] | null) =>
      (await store.listHoldings(TENANT, { walletIds, chains })).map(({ walletId, asset }) => [walletId, asset.id]);
    const all = [
      [wallet.id, token.id],
      [second.id, onBase.id],
      [second.id, token.id],
      [second.id, other.id],
    ];
    expect(await list(ids, null)).toEqual(all);
    expect(await list(ids, ['base'])).toEqual([all[1]]);
    expect(await list([second.id, 'nonsense'], ['ethereum'])).toEqual(all.slice(2));
    expect(await list([], null)).toEqual([]);
    expect(await list(null, [])).toEqual([]);
    expect(await list(null, null)).toEqual(expect.arrayContaining(all));
    expect(await store.listSources(TENANT, { walletIds: [second.id], chains: ['base'] })).toMatchObject([{ chain: 'base' }]);
  });

  it('names the assets to be priced: with an amount, an unknown one, or an alert about the price', async () => {
    const added = await createAssetStore(database.tenants).upsertMany([newAsset(), newAsset(), newAsset(), newAsset()]);
    const [held, unknown, sold, watched] = added;
    if (!held || !unknown || !sold || !watched) throw new Error('not stored');
    await sql`
      insert into alerts (tenant_id, kind, asset_id, currency, direction, threshold, hysteresis, cooldown_seconds)
      values (${TENANT}, 'price', ${watched.id}, 'USD', 'above', 1, 0, 0)`.execute(database.db);
    await save(readingOf(wallet, 1, [amountOf(held, 1n), failed(unknown), amountOf(sold, 1n)]));
    await save(readingOf(wallet, 2, [amountOf(sold, 0n)]));
    const ids = (await store.listAssetsToPrice()).map((asset) => asset.id);
    expect(ids).toEqual(expect.arrayContaining([held.id, unknown.id, watched.id]));
    expect(ids).not.toContain(sold.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

it("never sees or changes another tenant's rows", async () => {
  await save(readingOf(wallet, 1, [amountOf(token, 7n)]));
  const before = [await holdings(), await sources()];
  await store.saveReadings(OTHER_TENANT_ID, [
    readingOf(wallet, 2, [amountOf(token, 1n)], { exhaustive: true }),
    failureOf(wallet, 3),
  ]);
  expect([await holdings(), await sources()]).toEqual(before);
  expect(await holdings(wallet, OTHER_TENANT_ID)).toEqual([]);
  expect(await sources(wallet, OTHER_TENANT_ID)).toEqual([]);
});

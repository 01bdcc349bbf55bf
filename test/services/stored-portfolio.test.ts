import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAssetStore } from '../../src/db/asset-store.ts';
import { createBalanceStore } from '../../src/db/balance-store.ts';
import { createWalletStore } from '../../src/db/wallet-store.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import { readStoredPortfolio } from '../../src/services/stored-portfolio.ts';
import { addAsset, addWallet, amountOf, readingOf } from '../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

it('never has amounts of before a refresh under the states of after it, whenever that ends', async () => {
  const balances = createBalanceStore(database.tenants);
  const wallet = await addWallet(database.db, TENANT);
  const asset = await addAsset(database.db);
  let seconds = 0;
  const refresh = () => balances.saveReadings(TENANT, [readingOf(wallet, ++seconds, [amountOf(asset, BigInt(seconds))])]);
  await refresh();
  const deps = {
    wallets: createWalletStore(database.tenants),
    assets: createAssetStore(database.tenants),
    // A refresh ends between any two reads.
    balances: {
      listHoldings: async (...scope: Parameters<typeof balances.listHoldings>) => {
        const holdings = await balances.listHoldings(...scope);
        await refresh();
        return holdings;
      },
      listSources: async (...scope: Parameters<typeof balances.listSources>) => {
        const sources = await balances.listSources(...scope);
        await refresh();
        return sources;
      },
    },
    prices: { getPrices: async () => new Map() },
    kindsOf: () => ['balances' as const],
  };
  const { holdings, sources } = await readStoredPortfolio(deps, TENANT);
  const observedAt = holdings[0]?.observedAt?.getTime() ?? 0;
  expect(observedAt).toBeGreaterThanOrEqual(sources[0]?.observedAt?.getTime() ?? Number.NaN);
});

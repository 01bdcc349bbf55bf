import { sql } from 'kysely';
import { parseEvmAddress } from '../../../src/adapters/evm/evm-address.ts';
import { parseSolanaAddress } from '../../../src/adapters/solana/solana-address.ts';
import { createAlertStore } from '../../../src/db/alerts/alert-store.ts';
import { createAssetStore } from '../../../src/db/asset-store.ts';
import { createBalanceStore } from '../../../src/db/balance-store.ts';
import { readVersion } from '../../../src/db/data-version.ts';
import { createPriceStore } from '../../../src/db/price-store.ts';
import { createWalletStore } from '../../../src/db/wallet-store.ts';
import type { AlertRule } from '../../../src/domain/alerts/alert.ts';
import type { Asset } from '../../../src/domain/asset.ts';
import { chains } from '../../../src/domain/chains.ts';
import { Decimal } from '../../../src/domain/decimal.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { type AlertEvaluation, createAlertEvaluation } from '../../../src/services/alerts/alert-evaluation.ts';
import { createAlertService } from '../../../src/services/alerts/alert-service.ts';
import { createAssetService } from '../../../src/services/asset-service.ts';
import { createPortfolioService } from '../../../src/services/portfolio-service.ts';
import { createPriceService } from '../../../src/services/price-service.ts';
import { addAsset, amountOf, at, failureOf, newWallet, readingOf } from '../../support/store-fixtures.ts';
import { createTestDatabase } from '../../support/test-database.ts';

export type AlertWorld = Awaited<ReturnType<typeof createAlertWorld>>;

const NEVER = new AbortController().signal;
const RULE: AlertRule = {
  kind: 'value',
  walletId: null,
  assetId: null,
  currency: 'USD',
  name: null,
  direction: 'above',
  threshold: new Decimal(0),
  hysteresis: new Decimal(0),
  cooldownSeconds: 0,
  isEnabled: true,
};

/** A tenant with alerts over the real services and a real database. */
export async function createAlertWorld() {
  const { db, tenants, close } = await createTestDatabase();
  const now = (): Date => new Date();
  const parseAddress = { evm: parseEvmAddress, solana: parseSolanaAddress };
  const stores = {
    assets: createAssetStore(tenants),
    wallets: createWalletStore(tenants),
    balances: createBalanceStore(tenants),
  };
  const priceStore = createPriceStore(tenants);
  const prices = createPriceService({ sources: [], fxSources: [], store: priceStore, now, log: { warn: () => undefined } });
  const portfolio = createPortfolioService({
    ...stores,
    prices,
    chains,
    kindsOf: () => ['balances'],
    baseSeconds: 300,
    share: (_tenant, read) => read(),
    now,
  });
  const assets = createAssetService({
    ...stores,
    prices,
    portfolio,
    chains,
    sources: new Map(),
    parseAddress,
    isListed: () => true,
    now,
  });
  const store = createAlertStore(tenants);
  const alerts = createAlertService({ ...stores, alerts: store, chains, parseAddress });
  /** Reads what the portfolio is made of as it is at the moment of the call. */
  const addWorker = (overrides: Partial<Parameters<typeof createAlertEvaluation>[0]> = {}): AlertEvaluation =>
    createAlertEvaluation({
      alerts: store,
      portfolio,
      assets,
      assetsById: (ids) => stores.assets.getMany(ids),
      chains,
      currentVersion: (tenantId) => readVersion(db, tenantId),
      now,
      ...overrides,
    });
  const worker = addWorker();
  return {
    db,
    alerts,
    portfolio,
    addWorker,
    evaluate: () => worker.evaluateDue(NEVER),
    addRule: async (rule: Partial<AlertRule>) => (await alerts.add(TENANT, { ...RULE, ...rule })).alert.id,
    stateOf: async (id: string) => (await alerts.get(TENANT, id)).alert.state,
    async follow(): Promise<Wallet> {
      const [added] = await stores.wallets.addMany(TENANT, [newWallet()]);
      if (added === undefined) throw new Error('the wallet was not added');
      return added.wallet;
    },
    addAsset: (symbol: string) => addAsset(db, { symbol, listed: true, decimals: 0 }),
    quote: (asset: Asset, value: string, ageSeconds = 0) => {
      const quotedAt = new Date(Date.now() - ageSeconds * 1000);
      const lastGood = { value: new Decimal(value), source: 'test', quotedAt };
      return priceStore.savePrices(new Map([[asset.id, { lastGood, suspect: null, checkedAt: now(), attempts: [] }]]));
    },
    rate: (currency: string, perUsd: string) => priceStore.saveRates([{ currency, perUsd, source: 'test', quotedAt: now() }]),
    /** All that a read of the wallet tells, so long ago. */
    hold: (wallet: Wallet, amounts: readonly (readonly [Asset, bigint])[], ageSeconds = 0) =>
      stores.balances.saveReadings(TENANT, [
        readingOf(
          wallet,
          1,
          amounts.map(([asset, amount]) => amountOf(asset, amount)),
          { observedAt: new Date(Date.now() - ageSeconds * 1000) },
        ),
      ]),
    fail: (wallet: Wallet) => stores.balances.saveReadings(TENANT, [failureOf(wallet, (Date.now() - at(0).getTime()) / 1000)]),
    /** What was told of alerts, in order. */
    async told(): Promise<readonly { type: string; data: Record<string, unknown> }[]> {
      const { rows } = await sql<{ type: string; data: Record<string, unknown> }>`
        select type, data from events where type like 'alert.%' order by seq`.execute(db);
      return rows;
    },
    async clear(): Promise<void> {
      for (const table of ['alerts', 'events', 'wallets', 'removed_wallets', 'prices', 'fx_rates'])
        await sql`delete from ${sql.table(table)}`.execute(db);
    },
    close,
  };
}

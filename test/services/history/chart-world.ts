import { sql } from 'kysely';
import { parseEvmAddress } from '../../../src/adapters/evm/evm-address.ts';
import { parseSolanaAddress } from '../../../src/adapters/solana/solana-address.ts';
import { createAssetStore } from '../../../src/db/asset-store.ts';
import { createBalanceStore } from '../../../src/db/balance-store.ts';
import { createHistoryStore } from '../../../src/db/history/history-store.ts';
import { createSnapshotStore } from '../../../src/db/history/snapshot-store.ts';
import { createPriceStore } from '../../../src/db/price-store.ts';
import { createWalletStore } from '../../../src/db/wallet-store.ts';
import type { Asset } from '../../../src/domain/asset.ts';
import { chains } from '../../../src/domain/chains.ts';
import { Decimal } from '../../../src/domain/decimal.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import type { HistoryQuery } from '../../../src/services/history/history-query.ts';
import { createHistoryService, type History } from '../../../src/services/history/history-service.ts';
import { createSnapshotService, type SnapshotService } from '../../../src/services/history/snapshot-service.ts';
import { createPortfolioService } from '../../../src/services/portfolio-service.ts';
import { createPriceService } from '../../../src/services/price-service.ts';
import { addAsset, addWallet, amountOf, at, failureOf, readingOf } from '../../support/store-fixtures.ts';
import { createTestDatabase } from '../../support/test-database.ts';

export const NEVER = new AbortController().signal;
/** So long that no test meets the end of an interval. */
export const INTERVAL_SECONDS = 30 * 86_400;

/** A tenant whose snapshots are taken by the real services, with a clock that the test sets. Moments are seconds after a fixed one. */
export type ChartWorld = Awaited<ReturnType<typeof createChartWorld>>;

export async function createChartWorld() {
  const { db, tenants, close } = await createTestDatabase();
  let now = at(0);
  const clock = (): Date => now;
  let aheadSeconds = 0;
  const log = { warn: () => undefined, info: () => undefined, error: () => undefined };
  const stores = {
    assets: createAssetStore(tenants),
    wallets: createWalletStore(tenants),
    balances: createBalanceStore(tenants),
  };
  const priceStore = createPriceStore(tenants);
  const prices = createPriceService({ sources: [], fxSources: [], store: priceStore, now: clock, log });
  const portfolio = createPortfolioService({
    ...stores,
    prices,
    chains,
    kindsOf: () => ['balances'],
    baseSeconds: 300,
    share: (_tenant, read) => read(),
    now: clock,
  });
  const snapshots = createSnapshotStore(tenants);
  const taken: string[] = [];
  let blocks = 0n;
  const createSnapshots = (): SnapshotService =>
    createSnapshotService({
      snapshots: { ...snapshots, readClock: async () => new Date(now.getTime() - aheadSeconds * 1000) },
      portfolio,
      intervalSeconds: INTERVAL_SECONDS,
      keep: { rawDays: 30, hourlyDays: 365 },
      onSnapshot: (grade) => taken.push(grade),
      log,
    });
  const history = createHistoryService({
    ...stores,
    history: createHistoryStore(tenants),
    prices,
    portfolio,
    chains,
    parseAddress: { evm: parseEvmAddress, solana: parseSolanaAddress },
    kept: { rawDays: 36_500, hourlyDays: 36_500 },
    now: clock,
  });
  const service = createSnapshots();
  const renewed = new Map<string, string>();
  const saveQuote = async (id: string, value: string, quotedAt: Date): Promise<void> => {
    const lastGood = { value: new Decimal(value), source: 'test', quotedAt };
    const checkedAt = quotedAt > now ? quotedAt : now;
    await priceStore.savePrices(new Map([[id, { lastGood, suspect: null, checkedAt, attempts: [] }]]));
  };
  return {
    db,
    tenants,
    close,
    stores,
    history,
    snapshots: service,
    createSnapshots,
    /** The grades of all that were taken. */
    taken,
    setClock: (moment: Date) => {
      now = moment;
    },
    /** How far the clock of the process is ahead of the database's. */
    setAhead: (seconds: number) => {
      aheadSeconds = seconds;
    },
    /** A wallet that is followed since the first moment. */
    async follow(): Promise<Wallet> {
      const wallet = await addWallet(db, TENANT);
      await sql`update wallets set created_at = ${at(-1)} where id = ${wallet.id}`.execute(db);
      return wallet;
    },
    /** One that is followed because it is listed, or else because the owner added it. */
    async addAsset(overrides: Partial<Asset> = {}): Promise<Asset> {
      const asset = await addAsset(db, { listed: true, decimals: 2, ...overrides });
      if (!asset.listed) await stores.assets.updateSettings(TENANT, asset.id, { tracked: true });
      return asset;
    },
    async hold(wallet: Wallet, amounts: readonly (readonly [Asset, bigint])[], observedAt = now): Promise<void> {
      const readings = amounts.map(([asset, amountRaw]) => amountOf(asset, amountRaw));
      await stores.balances.saveReadings(TENANT, [
        readingOf(wallet, 0, readings, { observedAt, block: { number: ++blocks, hash: null } }),
      ]);
    },
    fail: (wallet: Wallet, seconds: number) => stores.balances.saveReadings(TENANT, [failureOf(wallet, seconds)]),
    /** What it costs: from now on, or by one quote of a moment that nobody renews. */
    async quote(asset: Asset, value: string, quotedAt?: Date): Promise<void> {
      if (quotedAt === undefined) renewed.set(asset.id, value);
      else renewed.delete(asset.id);
      await saveQuote(asset.id, value, quotedAt ?? now);
    },
    /** A newer quote that waits for the owner's word. */
    async suspect(asset: Asset, value: string, quotedAt: Date): Promise<void> {
      renewed.delete(asset.id);
      const lastGood = (await priceStore.getPrices([asset.id])).get(asset.id)?.lastGood ?? null;
      const suspect = { value: new Decimal(value), source: 'test', quotedAt };
      await priceStore.savePrices(new Map([[asset.id, { lastGood, suspect, checkedAt: quotedAt, attempts: [] }]]));
    },
    rate: (currency: string, perUsd: string, quotedAt = now) =>
      priceStore.saveRates([{ currency, perUsd, source: 'test', quotedAt }]),
    async take(moment: Date): Promise<void> {
      now = moment;
      for (const [id, value] of renewed) await saveQuote(id, value, moment);
      if ((await service.take(TENANT)) === undefined) throw new Error('no snapshot was taken');
    },
    read: (query: Partial<HistoryQuery> = {}): Promise<History> => history.getHistory(TENANT, { ...DEFAULTS, ...query }),
    async count(table: string): Promise<number> {
      return Number((await sql<{ count: string }>`select count(*) from ${sql.table(table)}`.execute(db)).rows[0]?.count);
    },
  };
}

const DEFAULTS: HistoryQuery = {
  from: null,
  to: null,
  step: null,
  timeZone: 'UTC',
  currency: 'USD',
  walletIds: null,
  chains: null,
  assetIds: null,
  series: 'total',
  fill: 'none',
};

import type { Config } from '../config.ts';
import { type AssetStore, createAssetStore } from '../db/asset-store.ts';
import { type BalanceStore, createBalanceStore } from '../db/balance-store.ts';
import type { ChangeFeed } from '../db/change-feed.ts';
import { createDatabase, type Database } from '../db/database.ts';
import { type ChangesStore, createChangesStore } from '../db/history/changes-store.ts';
import { createHistoryStore, type HistoryStore } from '../db/history/history-store.ts';
import { createPerformanceStore, type PerformanceStore } from '../db/history/performance-store.ts';
import { createLedgerStore, type LedgerStore } from '../db/ledger/ledger-store.ts';
import { createTransactionStore, type TransactionStore } from '../db/ledger/transaction-store.ts';
import { createPriceStore, type PriceStore } from '../db/price-store.ts';
import { createReplicaReads, type ReplicaReads } from '../db/replica-reads.ts';
import type { TenantDb } from '../db/tenant-db.ts';
import { createWalletStore, type WalletStore } from '../db/wallet-store.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { AssetService } from '../services/asset-service.ts';
import type { PortfolioService } from '../services/portfolio-service.ts';
import type { WalletService } from '../services/wallet-service.ts';
import type { HistoryServices } from './compose-history.ts';
import type { LedgerServices } from './compose-ledger.ts';

/** The stores that answers to reads are made from. */
export type ReadStores = {
  readonly wallets: WalletStore;
  readonly assets: AssetStore;
  readonly balances: BalanceStore;
  readonly prices: PriceStore;
  readonly history: HistoryStore;
  readonly changes: ChangesStore;
  readonly performance: PerformanceStore;
  readonly ledger: LedgerStore;
  readonly transactions: TransactionStore;
};

/** The stores over one database. */
export function createReadStores(db: TenantDb): ReadStores {
  return {
    wallets: createWalletStore(db),
    assets: createAssetStore(db),
    balances: createBalanceStore(db),
    prices: createPriceStore(db),
    history: createHistoryStore(db),
    changes: createChangesStore(db),
    performance: createPerformanceStore(db),
    ledger: createLedgerStore(db),
    transactions: createTransactionStore(db),
  };
}

export type Replica = {
  readonly stores: ReadStores;
  readonly reads: ReplicaReads;
  poolSize: Database['poolSize'];
  close(): Promise<void>;
};

type ReplicaDeps = { readonly feed: ChangeFeed; readonly log: Logger; readonly metrics: Pick<Metrics, 'onQuery'> };

/** A read that hangs on the replica is to be made on the primary in good time. */
const QUERY_TIMEOUT_MS = 2_000;

/** The read replica, null when there is none. Nothing is asked of it before the first read. */
export function openReplica({ databaseReplicaUrl: url }: Config, { feed, log, metrics }: ReplicaDeps): Replica | null {
  if (url === null) return null;
  const onQuery = (query: { isGood: boolean; seconds: number }): void => metrics.onQuery({ pool: 'replica', ...query });
  const { db, tenants, poolSize, close } = createDatabase({ url, log, queryTimeoutMs: QUERY_TIMEOUT_MS, onQuery });
  return {
    stores: createReadStores(tenants),
    reads: createReplicaReads({ replica: db, feed, log }),
    poolSize,
    close,
  };
}

/** The services of tenants over the stores of one database. */
export type TenantServices = HistoryServices &
  LedgerServices & {
    readonly wallets: WalletService;
    readonly assets: AssetService;
    readonly portfolio: PortfolioService;
  };

/** The services over the primary, with what large answers are made of read from the replica where it has all of it. */
export function preferReplica(primary: TenantServices, replica: TenantServices, reads: ReplicaReads): TenantServices {
  const either =
    <Rest extends readonly unknown[], T>(onReplica: Read<Rest, T>, onPrimary: Read<Rest, T>): Read<Rest, T> =>
    (tenantId, ...rest) =>
      reads.read(tenantId, {
        onReplica: () => onReplica(tenantId, ...rest),
        onPrimary: () => onPrimary(tenantId, ...rest),
      });
  return {
    wallets: { ...primary.wallets, list: either(replica.wallets.list, primary.wallets.list) },
    assets: { ...primary.assets, list: either(replica.assets.list, primary.assets.list) },
    portfolio: {
      ...primary.portfolio,
      getPortfolio: either(replica.portfolio.getPortfolio, primary.portfolio.getPortfolio),
      getWalletBalances: either(replica.portfolio.getWalletBalances, primary.portfolio.getWalletBalances),
    },
    history: { ...primary.history, getHistory: either(replica.history.getHistory, primary.history.getHistory) },
    changes: { explain: either(replica.changes.explain, primary.changes.explain) },
    performance: { getPerformance: either(replica.performance.getPerformance, primary.performance.getPerformance) },
    transactions: { ...primary.transactions, list: either(replica.transactions.list, primary.transactions.list) },
    statements: { getStatement: either(replica.statements.getStatement, primary.statements.getStatement) },
  };
}

type Read<Rest extends readonly unknown[], T> = (tenantId: string, ...rest: Rest) => Promise<T>;

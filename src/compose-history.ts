import type { ReadStores } from './compose-replica.ts';
import type { Storage } from './compose-storage.ts';
import type { Config } from './config.ts';
import { chains } from './domain/chains.ts';
import type { FindAssetDeps } from './services/find-asset.ts';
import { type ChangesService, createChangesService } from './services/history/changes-service.ts';
import { createHistoryService, type HistoryService } from './services/history/history-service.ts';
import { createPerformanceService, type PerformanceService } from './services/history/performance-service.ts';
import { createSnapshotService, type SnapshotService } from './services/history/snapshot-service.ts';
import { createStatementService, type StatementService } from './services/history/statement-service.ts';
import type { PortfolioService } from './services/portfolio-service.ts';
import type { PriceService } from './services/price-service.ts';

/** What tells of the past: it only reads, so that there is one over the primary and one over the replica. */
export type HistoryServices = {
  readonly history: HistoryService;
  readonly changes: ChangesService;
  readonly performance: PerformanceService;
  readonly statements: StatementService;
};

type HistoryParts = {
  readonly prices: Pick<PriceService, 'getPrices'>;
  readonly portfolio: PortfolioService;
  readonly parseAddress: FindAssetDeps['parseAddress'];
  readonly kept: Config['snapshotsKept'];
  readonly riskFreePerYear: number;
  readonly now: () => Date;
};

/** Makes what tells of the past over the stores of one database. */
export function composeHistory(stores: ReadStores, parts: HistoryParts): HistoryServices {
  const { history, changes, performance, ledger, assets, wallets } = stores;
  return {
    history: createHistoryService({ ...parts, history, assets, wallets, chains }),
    performance: createPerformanceService({ ...parts, history, performance, ledger, assets, chains }),
    changes: createChangesService({ ...parts, changes, history, ledger, assets, wallets, chains }),
    statements: createStatementService({ ...parts, changes, history, assets, wallets }),
  };
}

/** Makes what writes the past down. It reads and writes the primary alone. */
export function composeSnapshots(
  { snapshotsKept: keep }: Config,
  { storage, portfolio, now }: { readonly storage: Pick<Storage, 'snapshots'> } & Pick<HistoryParts, 'portfolio' | 'now'>,
): SnapshotService {
  return createSnapshotService({ snapshots: storage.snapshots, portfolio, keep, now });
}

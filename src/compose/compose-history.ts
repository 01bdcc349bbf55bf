import type { Config } from '../config.ts';
import { chains } from '../domain/chains.ts';
import { listedTokens } from '../domain/token-list.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { FindAssetDeps } from '../services/find-asset.ts';
import { type ChangesService, createChangesService } from '../services/history/changes-service.ts';
import { createHistoryService, type HistoryService } from '../services/history/history-service.ts';
import { createSnapshotService, type SnapshotService } from '../services/history/snapshot-service.ts';
import { createStatementService, type StatementService } from '../services/history/statement-service.ts';
import { type BackfillService, createBackfillService } from '../services/past/backfill-service.ts';
import { createHealingService, type HealingService } from '../services/past/healing-service.ts';
import { createPastPrices } from '../services/past/past-prices.ts';
import { createPastReader } from '../services/past/past-reader.ts';
import { createPerformanceService, type PerformanceService } from '../services/performance/performance-service.ts';
import type { PortfolioService } from '../services/portfolio-service.ts';
import type { PriceService } from '../services/price-service.ts';
import type { ChainAdapters } from './compose-chains.ts';
import type { PriceAdapters } from './compose-prices.ts';
import type { ReadStores } from './compose-replica.ts';
import type { Storage } from './compose-storage.ts';

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
  { snapshotsKept: keep, snapshotIntervalSeconds: intervalSeconds }: Config,
  { storage, metrics, ...parts }: SnapshotParts,
): SnapshotService {
  metrics.setSnapshotInterval(intervalSeconds);
  return createSnapshotService({ ...parts, snapshots: storage.snapshots, onSnapshot: metrics.onSnapshot, keep, intervalSeconds });
}

type SnapshotParts = Pick<HistoryParts, 'portfolio'> & {
  readonly storage: Pick<Storage, 'snapshots'>;
  readonly metrics: Pick<Metrics, 'onSnapshot' | 'setSnapshotInterval'>;
  readonly log: Logger;
};

/** What fills in what was not known of the past at its time. */
export type PastServices = { readonly healing: HealingService; readonly backfills: BackfillService };

type PastParts = Pick<ChainAdapters, 'sources' | 'past'> & {
  readonly storage: Pick<Storage, 'assets' | 'balances' | 'wallets' | 'healing' | 'backfills' | 'priceHistory'>;
  readonly priceAdapters: Pick<PriceAdapters, 'history' | 'fxHistory'>;
  readonly log: Logger;
  readonly now: () => Date;
};

/** Makes it over the primary, which it reads and writes. */
export function composePast({ storage, sources, past: pasts, priceAdapters, log, now }: PastParts): PastServices {
  const { assets, balances, wallets, healing, backfills } = storage;
  const past = createPastReader({ chains, sources, pasts: pasts.sources, assets, balances, healing, listedTokens });
  const prices = createPastPrices({
    source: priceAdapters.history,
    fxSource: priceAdapters.fxHistory,
    store: storage.priceHistory,
  });
  return {
    healing: createHealingService({ healing, past, wallets, now, log }),
    backfills: createBackfillService({ backfills, past, prices, wallets, now, log }),
  };
}

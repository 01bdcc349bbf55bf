import { createShareByVersion } from '../adapters/cache/share-by-version.ts';
import type { ShareByVersion } from '../adapters/cache.ts';
import { parseEvmAddress } from '../adapters/evm/evm-address.ts';
import { parseSolanaAddress } from '../adapters/solana/solana-address.ts';
import type { Config } from '../config.ts';
import { chains } from '../domain/chains.ts';
import { findListedToken, listedTokens } from '../domain/token-list.ts';
import type { HttpClient } from '../lib/http-client.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { createQuotaService, type QuotaService } from '../services/access/quota-service.ts';
import { createAssetService } from '../services/asset-service.ts';
import { createHealthService, type HealthService } from '../services/health-service.ts';
import type { SnapshotService } from '../services/history/snapshot-service.ts';
import { createTransferImportService, type TransferImportService } from '../services/ledger/transfer-import-service.ts';
import { createPortfolioService } from '../services/portfolio-service.ts';
import { createPriceService, type PriceService } from '../services/price-service.ts';
import { createRefreshService, type RefreshService } from '../services/refresh-service.ts';
import { createIdempotencyService, type IdempotencyService } from '../services/requests/idempotency-service.ts';
import { createRpcEndpointService, type RpcEndpointService } from '../services/rpc-endpoint-service.ts';
import { createScheduleService, type ScheduleService } from '../services/schedule-service.ts';
import type { StoredPortfolio } from '../services/stored-portfolio.ts';
import { createWalletService } from '../services/wallet-service.ts';
import { type AlertServices, composeAlerts } from './compose-alerts.ts';
import { type ChainAdapters, composeChains } from './compose-chains.ts';
import { composeHistory, composePast, composeSnapshots, type PastServices } from './compose-history.ts';
import { composeLedger } from './compose-ledger.ts';
import type { Outbound } from './compose-outbound.ts';
import { composePrices } from './compose-prices.ts';
import { preferReplica, type ReadStores, type TenantServices } from './compose-replica.ts';
import type { Storage } from './compose-storage.ts';
import { composeWebhooks, type WebhookServices } from './compose-webhooks.ts';

export type Services = TenantServices &
  PastServices &
  AlertServices &
  WebhookServices & {
    readonly refreshes: RefreshService;
    readonly quotas: QuotaService;
    readonly schedules: ScheduleService;
    readonly snapshots: SnapshotService;
    readonly transfers: TransferImportService;
    readonly prices: PriceService;
    readonly health: HealthService;
    readonly idempotency: IdempotencyService;
    /** The endpoints of chains: their names, and how they are. */
    readonly endpoints: ChainAdapters['endpoints'];
    readonly rpcEndpoints: RpcEndpointService;
    /** Ends what looks at them in the background. */
    readonly closeEndpoints: () => void;
  };

type ServiceDeps = {
  readonly storage: Storage;
  readonly http: HttpClient;
  readonly outbound: Pick<Outbound, 'webhooks' | 'rpc'>;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly version: string;
  readonly now: () => Date;
};

/** Makes the services over the stores and the outside world. */
export function composeServices(config: Config, deps: ServiceDeps): Services {
  const { storage, http, outbound, log, metrics, version, now } = deps;
  const { wallets, assets, balances, feed, ping } = storage;
  const adapters = composeChains(config, { http, guarded: outbound.rpc, log, metrics });
  const { sources, transfers, past, callers, resolvers, endpoints, close } = adapters;
  const feeds = { caller: callers.get('ethereum'), callerAt: past.callers.get('ethereum') };
  const priceAdapters = composePrices(config, { http, ...feeds, now, onPriceSource: metrics.onPriceSource });
  const prices = createPriceService({ ...priceAdapters, store: storage.prices, now, log });
  const quotas = createQuotaService({ store: storage.quotas, defaults: config.quotas, elapsedMs: () => performance.now(), log });
  const parts = {
    sources,
    resolvers,
    share: createShare(storage),
    quotas,
    now,
    baseSeconds: config.refreshIntervalSeconds,
    kept: config.snapshotsKept,
    riskFreePerYear: config.riskFreePerYear,
  };
  const tenants = withReplica(composeTenants(storage, { ...parts, prices }), { storage, parts, log });
  const health = createHealthService({ version, ping, followedChains: wallets.listFollowedChains, sources, log });
  health.addParts(() => prices.health());
  const reading = { wallets, assets, balances, prices, chains, sources, listedTokens, log };
  return {
    ...tenants,
    quotas,
    refreshes: createRefreshService({ ...reading, quotas, refreshes: storage.refreshes, onRefreshEnded: feed.onRefreshEnded }),
    schedules: createScheduleService({
      ...reading,
      schedules: storage.schedules,
      baseSeconds: config.refreshIntervalSeconds,
      random: Math.random,
    }),
    ...composePast({ storage, sources, past, priceAdapters, log, now }),
    ...composeAlerts({ storage, portfolio: tenants.portfolio, assets: tenants.assets, now }),
    ...composeWebhooks({ storage, way: outbound.webhooks, metrics, log, now }),
    snapshots: composeSnapshots(config, { storage, portfolio: tenants.portfolio, metrics, log }),
    transfers: createTransferImportService({
      ...reading,
      imports: storage.transferImports,
      pasts: storage.transferPasts,
      transferSources: transfers,
      everySeconds: config.transferIntervalSeconds,
      onImport: metrics.onTransferImport,
    }),
    prices,
    health,
    idempotency: createIdempotencyService({ store: storage.idempotency, log }),
    endpoints,
    rpcEndpoints: createRpcEndpointService({ store: storage.rpcEndpoints, chains, pools: adapters.endpointSettings, log }),
    closeEndpoints: close,
  };
}

/** About 50 MB of what was read of tenants. */
const MAX_SHARED_ROWS = 100_000;

function createShare({ feed }: Storage): ShareByVersion<StoredPortfolio> {
  return createShareByVersion({ knownVersion: feed.knownVersion, weigh: countRows, maxWeight: MAX_SHARED_ROWS, now: Date.now });
}

function countRows({ holdings, sources }: StoredPortfolio): number {
  return holdings.length + sources.length;
}

type TenantParts = Pick<ChainAdapters, 'sources' | 'resolvers'> & {
  readonly prices: PriceService;
  readonly share: ShareByVersion<StoredPortfolio>;
  readonly quotas: QuotaService;
  readonly baseSeconds: number;
  readonly kept: Config['snapshotsKept'];
  readonly riskFreePerYear: number;
  readonly now: () => Date;
};

/** The services of tenants over the stores of one database. */
function composeTenants(
  stores: ReadStores,
  { sources, resolvers, prices, share, quotas, baseSeconds, kept, riskFreePerYear, now }: TenantParts,
): TenantServices {
  const { wallets, assets, balances } = stores;
  const parseAddress = { evm: parseEvmAddress, solana: parseSolanaAddress };
  const portfolio = createPortfolioService({
    wallets,
    assets,
    balances,
    prices,
    chains,
    kindsOf: (chain) => sources.get(chain)?.kinds ?? [],
    baseSeconds,
    share,
    now,
  });
  return {
    wallets: createWalletService({ store: wallets, quotas, chains, parseAddress, resolvers }),
    assets: createAssetService({
      assets,
      prices,
      portfolio,
      chains,
      sources,
      parseAddress,
      isListed: (ref) => findListedToken(ref.chain, ref.address) !== undefined,
      now,
    }),
    portfolio,
    ...composeLedger(stores, { prices, portfolio, parseAddress, now }),
    ...composeHistory(stores, { prices, portfolio, parseAddress, kept, riskFreePerYear, now }),
  };
}

type ReplicaParts = Pick<ServiceDeps, 'storage' | 'log'> & { readonly parts: Omit<TenantParts, 'prices'> };

/** Those of the primary, whose large answers come from the replica where there is one. */
function withReplica(primary: TenantServices, { storage, parts, log }: ReplicaParts): TenantServices {
  if (storage.replica === null) return primary;
  const { stores, reads } = storage.replica;
  // No sources: there, prices are read only.
  const prices = createPriceService({ sources: [], fxSources: [], store: stores.prices, now: parts.now, log });
  return preferReplica(primary, composeTenants(stores, { ...parts, prices }), reads);
}

import { parseEvmAddress } from './adapters/evm/evm-address.ts';
import { parseSolanaAddress } from './adapters/solana/solana-address.ts';
import { type ChainAdapters, composeChains } from './compose-chains.ts';
import { composePrices } from './compose-prices.ts';
import { preferReplica, type ReadStores, type TenantServices } from './compose-replica.ts';
import type { Storage } from './compose-storage.ts';
import type { Config } from './config.ts';
import { chains } from './domain/chains.ts';
import { findListedToken, listedTokens } from './domain/token-list.ts';
import type { HttpClient } from './lib/http-client.ts';
import type { Logger } from './lib/logger.ts';
import type { Metrics } from './lib/metrics.ts';
import { type AssetService, createAssetService } from './services/asset-service.ts';
import { createHealthService, type HealthService } from './services/health-service.ts';
import { createPortfolioService, type PortfolioService } from './services/portfolio-service.ts';
import { createPriceService, type PriceService } from './services/price-service.ts';
import { createRefreshService, type RefreshService } from './services/refresh-service.ts';
import { createScheduleService, type ScheduleService } from './services/schedule-service.ts';
import { createWalletService, type WalletService } from './services/wallet-service.ts';

export type Services = TenantServices & {
  readonly refreshes: RefreshService;
  readonly schedules: ScheduleService;
  readonly prices: PriceService;
  readonly health: HealthService;
  /** The endpoints of chains: their names, and how they are. */
  readonly endpoints: ChainAdapters['endpoints'];
  /** Ends what looks at them in the background. */
  readonly closeEndpoints: () => void;
};

type ServiceDeps = {
  readonly storage: Storage;
  readonly http: HttpClient;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly version: string;
  readonly now: () => Date;
};

/** Makes the services over the stores and the outside world. */
export function composeServices(config: Config, { storage, http, log, metrics, version, now }: ServiceDeps): Services {
  const { wallets, assets, balances } = storage;
  const { sources, callers, resolvers, endpoints, close } = composeChains(config, { http, log, metrics });
  const { onPriceSource } = metrics;
  const priceAdapters = composePrices(config, { http, caller: callers.get('ethereum'), now, onPriceSource });
  const prices = createPriceService({ ...priceAdapters, store: storage.prices, now, log });
  const parts = { sources, resolvers, now, baseSeconds: config.refreshIntervalSeconds };
  const primary = composeTenants(storage, { ...parts, prices });
  const { replica } = storage;
  const reading = { wallets, assets, balances, prices, chains, sources, listedTokens, log };
  return {
    ...(replica === null ? primary : preferReplica(primary, composeTenants(replica.stores, parts), replica.reads)),
    refreshes: createRefreshService({
      ...reading,
      refreshes: storage.refreshes,
      onRefreshEnded: storage.feed.onRefreshEnded,
    }),
    schedules: createScheduleService({
      ...reading,
      schedules: storage.schedules,
      baseSeconds: config.refreshIntervalSeconds,
      random: Math.random,
    }),
    prices,
    health: createHealthService({
      version,
      ping: () => storage.ping(),
      followedChains: () => wallets.listFollowedChains(),
      sources,
      otherParts: () => prices.health(),
      log,
    }),
    endpoints,
    closeEndpoints: close,
  };
}

type TenantParts = Pick<ChainAdapters, 'sources' | 'resolvers'> & {
  /** What brings prices up to date besides reading them; left out where they are only read. */
  readonly prices?: PriceService;
  readonly baseSeconds: number;
  readonly now: () => Date;
};

/** The services of tenants over the stores of one database. */
function composeTenants(stores: ReadStores, { sources, resolvers, baseSeconds, now, ...rest }: TenantParts): TenantServices {
  const { wallets, assets, balances } = stores;
  const prices = rest.prices ?? createPriceReader(stores.prices);
  const parseAddress = { evm: parseEvmAddress, solana: parseSolanaAddress };
  const kindsOf = (chain: string): readonly SourceKind[] => sources.get(chain)?.kinds ?? [];
  const portfolio = createPortfolioService({ wallets, assets, balances, prices, chains, kindsOf, baseSeconds, now });
  const isListed = (ref: AssetRef): boolean => ref.address !== null && findListedToken(ref.chain, ref.address) !== undefined;
  return {
    wallets: createWalletService({ store: wallets, chains, parseAddress, resolvers }),
    assets: createAssetService({ assets, prices, portfolio, chains, sources, parseAddress, isListed, now }),
    portfolio,
  };
}

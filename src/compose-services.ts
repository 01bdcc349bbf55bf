import { parseEvmAddress } from './adapters/evm/evm-address.ts';
import { parseSolanaAddress } from './adapters/solana/solana-address.ts';
import { type ChainAdapters, composeChains } from './compose-chains.ts';
import { composePrices } from './compose-prices.ts';
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
import { createWalletService, type WalletService } from './services/wallet-service.ts';

export type Services = {
  readonly wallets: WalletService;
  readonly assets: AssetService;
  readonly refreshes: RefreshService;
  readonly prices: PriceService;
  readonly portfolio: PortfolioService;
  readonly health: HealthService;
  readonly endpointNames: ChainAdapters['endpointNames'];
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
  const { sources, callers, resolvers, endpointNames } = composeChains(config, http);
  const { onPriceSource } = metrics;
  const priceAdapters = composePrices(config, { http, caller: callers.get('ethereum'), now, onPriceSource });
  const prices = createPriceService({ ...priceAdapters, store: storage.prices, now, log });
  const parseAddress = { evm: parseEvmAddress, solana: parseSolanaAddress };
  const portfolio = createPortfolioService({
    wallets,
    assets,
    balances,
    prices,
    chains,
    kindsOf: (chain) => sources.get(chain)?.kinds ?? [],
    baseSeconds: config.refreshIntervalSeconds,
    now,
  });
  return {
    wallets: createWalletService({ store: wallets, chains, parseAddress, resolvers }),
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
    refreshes: createRefreshService({
      wallets,
      assets,
      balances,
      prices,
      refreshes: storage.refreshes,
      chains,
      sources,
      listedTokens,
      onRefreshEnded: storage.feed.onRefreshEnded,
      log,
    }),
    prices,
    portfolio,
    health: createHealthService({
      version,
      ping: () => storage.ping(),
      followedChains: () => wallets.listFollowedChains(),
      sources,
      otherParts: () => prices.health(),
      log,
    }),
    endpointNames,
  };
}

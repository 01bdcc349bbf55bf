import type { ShareByVersion } from '../src/adapters/cache.ts';
import { parseEvmAddress } from '../src/adapters/evm/evm-address.ts';
import { parseSolanaAddress } from '../src/adapters/solana/solana-address.ts';
import { createReadStores } from '../src/compose/compose-replica.ts';
import type { TenantDb } from '../src/db/tenant-db.ts';
import { chains } from '../src/domain/chains.ts';
import { createHistoryService, type HistoryService } from '../src/services/history/history-service.ts';
import { createPortfolioService, type PortfolioService } from '../src/services/portfolio-service.ts';
import { createPriceService } from '../src/services/price-service.ts';
import type { StoredPortfolio } from '../src/services/stored-portfolio.ts';

type Options = { readonly end: Date; readonly share: ShareByVersion<StoredPortfolio> };
type BenchServices = { readonly portfolio: PortfolioService; readonly history: HistoryService };

/** The services that read, over a database whose newest data are of `end`. */
export function createBenchServices(tenants: TenantDb, { end, share }: Options): BenchServices {
  const stores = createReadStores(tenants);
  const now = (): Date => end;
  const log = { warn: () => undefined };
  const prices = createPriceService({ sources: [], fxSources: [], store: stores.prices, now, log });
  const portfolio = createPortfolioService({
    ...{ ...stores, prices, chains, now, baseSeconds: 300, kindsOf: () => ['balances'] },
    share,
  });
  const parseAddress = { evm: parseEvmAddress, solana: parseSolanaAddress };
  const kept = { rawDays: 30, hourlyDays: 365 };
  return { portfolio, history: createHistoryService({ ...stores, prices, portfolio, chains, parseAddress, kept, now }) };
}

import { parseEvmAddress } from '../../../src/adapters/evm/evm-address.ts';
import { parseSolanaAddress } from '../../../src/adapters/solana/solana-address.ts';
import { createHistoryStore } from '../../../src/db/history/history-store.ts';
import { createPerformanceStore } from '../../../src/db/history/performance-store.ts';
import { createLedgerStore } from '../../../src/db/ledger/ledger-store.ts';
import { createPriceStore } from '../../../src/db/price-store.ts';
import type { Asset } from '../../../src/domain/asset.ts';
import { chains } from '../../../src/domain/chains.ts';
import { Decimal } from '../../../src/domain/decimal.ts';
import type { LedgerKind } from '../../../src/domain/ledger/ledger.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import type { Performance, PerformanceQuery } from '../../../src/services/performance/performance.ts';
import { createPerformanceService } from '../../../src/services/performance/performance-service.ts';
import { createChartWorld } from '../history/chart-world.ts';

const DEFAULTS: PerformanceQuery = {
  period: 'all',
  from: null,
  to: null,
  timeZone: 'UTC',
  currency: 'USD',
  chains: null,
  benchmark: null,
  rebalancing: 'never',
  costBasis: 'fifo',
  riskFreePerYear: null,
};

type Entry = {
  readonly wallet: Wallet;
  readonly asset: Asset;
  readonly kind: LedgerKind;
  readonly amountRaw: bigint;
  readonly at: Date;
  /** Of a whole token. */
  readonly price?: readonly [value: string, currency: string];
};

/** A tenant with real snapshots and a real ledger, and the service that tells how it did. */
export async function createPerformanceWorld() {
  const world = await createChartWorld();
  const { tenants, stores } = world;
  const ledger = createLedgerStore(tenants);
  const service = createPerformanceService({
    history: createHistoryStore(tenants),
    performance: createPerformanceStore(tenants),
    ledger,
    assets: stores.assets,
    prices: createPriceStore(tenants),
    portfolio: { findHeldBack: async () => new Set() },
    chains,
    parseAddress: { evm: parseEvmAddress, solana: parseSolanaAddress },
    riskFreePerYear: 0,
    now: () => new Date(),
  });
  let count = 0;
  return {
    ...world,
    async enter({ wallet, asset, kind, amountRaw, at, price }: Entry): Promise<void> {
      await ledger.addMany(TENANT, [
        {
          walletId: wallet.id,
          chain: 'ethereum',
          assetId: asset.id,
          occurredAt: at,
          kind,
          amountRaw,
          counterparty: null,
          txHash: null,
          blockNumber: null,
          origin: 'manual',
          price: price === undefined ? null : { value: new Decimal(price[0]), currency: price[1] },
          note: null,
          reference: `entry ${++count}`,
        },
      ]);
    },
    measure: (query: Partial<PerformanceQuery> = {}): Promise<Performance> =>
      service.getPerformance(TENANT, { ...DEFAULTS, ...query }),
  };
}

export type PerformanceWorld = Awaited<ReturnType<typeof createPerformanceWorld>>;

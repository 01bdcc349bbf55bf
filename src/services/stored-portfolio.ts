import type { AssetStore } from '../db/asset-store.ts';
import type { BalanceStore } from '../db/balance-store.ts';
import type { WalletStore } from '../db/wallet-store.ts';
import type { Holding, SourceKind, SourceState } from '../domain/holding.ts';
import type { Wallet } from '../domain/wallet.ts';
import { type AssetFacts, readAssetFacts } from './asset-context.ts';
import type { PriceService } from './price-service.ts';
import { findUnreadTokens } from './unread-tokens.ts';

/** All that is stored of what a tenant holds, as it is, whatever the time. */
export type StoredPortfolio = {
  readonly wallets: readonly Wallet[];
  /** A state for every source there should be. */
  readonly sources: readonly SourceState[];
  readonly holdings: readonly Holding[];
  readonly facts: AssetFacts;
};

export type StoredPortfolioDeps = {
  readonly wallets: Pick<WalletStore, 'listAll'>;
  readonly assets: Pick<AssetStore, 'getSettings' | 'listTracked'>;
  readonly balances: Pick<BalanceStore, 'listHoldings' | 'listSources'>;
  readonly prices: Pick<PriceService, 'getPrices'>;
  /** Which kinds of source each chain has. */
  readonly kindsOf: (chain: string) => readonly SourceKind[];
};

export async function readStoredPortfolio(deps: StoredPortfolioDeps, tenantId: string): Promise<StoredPortfolio> {
  const everything = { walletIds: null, chains: null };
  const [wallets, states, tracked] = await Promise.all([
    deps.wallets.listAll(tenantId, { walletIds: null }),
    deps.balances.listSources(tenantId, everything),
    deps.assets.listTracked(tenantId, null),
  ]);
  // After the states: amounts of before a refresh under its states would be called stale, though nothing is.
  const read = await deps.balances.listHoldings(tenantId, everything);
  const sources = expectSources(deps, wallets, states);
  const holdings = [...read, ...findUnreadTokens(tracked, sources, read)];
  const assets = holdings.map(({ asset }) => asset);
  return { wallets, sources, holdings, facts: await readAssetFacts(deps, tenantId, assets) };
}

/** A source that was never attempted is told as such. */
function expectSources(
  { kindsOf }: StoredPortfolioDeps,
  wallets: readonly Wallet[],
  states: readonly SourceState[],
): readonly SourceState[] {
  const known = new Map(states.map((state) => [sourceKey(state), state]));
  return wallets.flatMap((wallet) =>
    wallet.chains.flatMap((chain) =>
      kindsOf(chain).map((kind) => {
        const target = { walletId: wallet.id, chain, kind };
        return known.get(sourceKey(target)) ?? { ...target, ...NEVER_READ };
      }),
    ),
  );
}

const NEVER_READ = {
  observedAt: null,
  block: null,
  lastAttemptAt: null,
  lastOutcome: null,
  intervalSeconds: null,
  error: null,
} as const;

/** Names a source within a tenant. */
export function sourceKey({ walletId, chain, kind }: Pick<SourceState, 'walletId' | 'chain' | 'kind'>): string {
  return `${walletId}/${chain}/${kind}`;
}

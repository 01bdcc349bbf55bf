import type { BalanceSource, ChainReading } from '../adapters/balance-source.ts';
import type { AssetStore } from '../db/asset-store.ts';
import type { BalanceStore } from '../db/balance-store.ts';
import { type Asset, type AssetRef, assetKey } from '../domain/asset.ts';
import type { Chain } from '../domain/chain.ts';
import { AppError } from '../domain/errors.ts';
import type { Reading, SourceError, SourceReading } from '../domain/holding.ts';
import type { Wallet } from '../domain/wallet.ts';
import type { PriceService } from './price-service.ts';
import { type ListedToken, storeAssets } from './store-assets.ts';

export type ChainRefreshDeps = {
  readonly assets: AssetStore;
  readonly balances: BalanceStore;
  readonly prices: PriceService;
  /** The curated tokens of a chain. */
  readonly listedTokens: (chain: string) => readonly ListedToken[];
};

type ChainRefresh = {
  readonly tenantId: string;
  readonly chain: Chain;
  readonly source: BalanceSource;
  readonly wallets: readonly Wallet[];
  readonly signal: AbortSignal;
};

/**
 * Reads all wallets of one chain at one block, describes the tokens not met before, stores the outcome, then brings the prices of
 * what is held up to date. `onStored` hears of the outcome as soon as it is safe. Throws when the database fails, and when the signal fires:
 * for `shutting_down` before anything is stored, else after the outcome is.
 */
export async function refreshChain(
  deps: ChainRefreshDeps,
  refresh: ChainRefresh,
  onStored: (readings: readonly SourceReading[]) => Promise<void>,
): Promise<void> {
  const { chain, source, tenantId, signal } = refresh;
  const tracked = await deps.assets.listTracked(tenantId, chain.slug);
  const listed = deps.listedTokens(chain.slug);
  const addedByHand = tracked.flatMap(({ asset }) => asset.address ?? []);
  const tokens = [...new Set([...listed.map((token) => token.address), ...addedByHand])];
  const addresses = [...new Set(refresh.wallets.map((wallet) => wallet.address))];
  const reading = await source.readBalances({ addresses, tokens, signal });
  throwIfStopping(signal);
  const { named, known } = await findNamedAssets(deps.assets, chain, reading);
  const held = await storeAssets(deps, refresh, { named, known });
  const keys = new Set(named.map(assetKey));
  const readings = toSourceReadings(refresh, reading).map((one) => keepOnly(one, keys));
  await deps.balances.saveReadings(tenantId, readings);
  await onStored(readings);
  await deps.prices.refreshPrices(held, signal);
}

/** Reads that a stop has cut off say nothing of the chain: whoever takes them over will find out. */
function throwIfStopping({ reason }: AbortSignal): void {
  if (reason instanceof AppError && reason.code === 'shutting_down') throw reason;
}

type NamedAssets = {
  /** Native, above zero, or failed: what the store must know before the readings can be kept. */
  readonly named: readonly AssetRef[];
  /** Those of them that it knows already, by key. */
  readonly known: ReadonlyMap<string, Asset>;
};

/** A listed token without code, on a chain where nobody ever held it, is no asset at all: it is left out. */
async function findNamedAssets(assets: AssetStore, chain: Chain, reading: ChainReading): Promise<NamedAssets> {
  const native: AssetRef = { chain: chain.slug, address: null };
  const refs = new Map<string, AssetRef>([[assetKey(native), native]]);
  const doubtful = new Set<string>();
  for (const entry of reading.addresses) {
    if (entry.status !== 'ok') continue;
    for (const item of entry.readings) {
      if (item.status === 'ok' && item.amountRaw === 0n) continue;
      const key = assetKey(item.asset);
      refs.set(key, item.asset);
      if (item.status === 'failed' && item.error.code === 'not_a_token') doubtful.add(key);
      else doubtful.delete(key);
    }
  }
  const known = new Map((await assets.getByRefs([...refs.values()])).map((asset) => [assetKey(asset), asset]));
  const named = [...refs].filter(([key]) => known.has(key) || !doubtful.has(key)).map(([, ref]) => ref);
  return { named, known };
}

/** A reading without the zeros and failures of assets that were left out. */
function keepOnly(reading: SourceReading, keys: ReadonlySet<string>): SourceReading {
  if (reading.status !== 'ok') return reading;
  const isKept = ({ asset, status }: Reading): boolean => status === 'ok' || keys.has(assetKey(asset));
  return { ...reading, readings: reading.readings.filter(isKept) };
}

/** One outcome for each wallet and kind; a wallet that the reading left out is a failure, never silence. */
function toSourceReadings({ chain, source, wallets }: ChainRefresh, reading: ChainReading): readonly SourceReading[] {
  const byAddress = new Map(reading.addresses.map((entry) => [`${entry.kind}/${entry.address}`, entry]));
  const attemptedAt = reading.observedAt;
  const missing: SourceError = { code: 'upstream_malformed', provider: null };
  return wallets.flatMap((wallet) =>
    source.kinds.map((kind): SourceReading => {
      const entry = byAddress.get(`${kind}/${wallet.address}`);
      const target = { walletId: wallet.id, chain: chain.slug, kind };
      if (entry === undefined) return { ...target, status: 'failed', attemptedAt, error: missing };
      if (entry.status !== 'ok') return { ...target, status: entry.status, attemptedAt, error: entry.error };
      if (reading.block === null) return { ...target, status: 'failed', attemptedAt, error: missing };
      const { exhaustive, readings } = entry;
      return { ...target, status: 'ok', block: reading.block, observedAt: attemptedAt, exhaustive, readings };
    }),
  );
}

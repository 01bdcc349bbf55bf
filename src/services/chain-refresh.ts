import type { BalanceSource, ChainReading, TokenDescription } from '../adapters/balance-source.ts';
import type { AssetStore } from '../db/asset-store.ts';
import type { BalanceStore } from '../db/balance-store.ts';
import { type Asset, type AssetInfo, type AssetRef, assetKey } from '../domain/asset.ts';
import type { Chain } from '../domain/chain.ts';
import { AppError } from '../domain/errors.ts';
import type { Reading, SourceError, SourceReading } from '../domain/holding.ts';
import type { Wallet } from '../domain/wallet.ts';
import type { PriceService } from './price-service.ts';

/** A token of the curated list. */
export type ListedToken = { readonly address: string; readonly symbol: string; readonly name: string };

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

/** Looks up what is not known yet, or known without its decimals, and stores it. Answers with all the assets asked for. */
async function storeAssets(
  deps: ChainRefreshDeps,
  { chain, source, signal }: ChainRefresh,
  { named, known }: NamedAssets,
): Promise<readonly Asset[]> {
  const unknown = named.filter((ref) => {
    const asset = known.get(assetKey(ref));
    return asset === undefined || asset.decimals === null;
  });
  if (unknown.length === 0) return [...known.values()];
  const addresses = unknown.flatMap((ref) => (ref.address === null ? [] : [ref.address]));
  const described = await source.describeTokens(addresses, signal);
  const listed = new Map(deps.listedTokens(chain.slug).map((token) => [token.address, token]));
  // What is stored knows more than a description that failed.
  const told = unknown.filter(
    (ref) => ref.address === null || !known.has(assetKey(ref)) || described.get(ref.address)?.status === 'ok',
  );
  const fresh = await deps.assets.upsertMany(
    told.map(({ address }) =>
      address === null ? nativeInfo(chain) : tokenInfo(chain, address, described.get(address), listed.get(address)),
    ),
  );
  const all = new Map(known);
  for (const asset of fresh) all.set(assetKey(asset), asset);
  return [...all.values()];
}

function nativeInfo(chain: Chain): AssetInfo & { listed: boolean } {
  const { symbol, name, decimals } = chain.native;
  return { chain: chain.slug, address: null, standard: 'native', symbol, name, decimals, flags: [], listed: true };
}

/** The chain's word first; the list's names where the chain gave none. Decimals only ever come from the chain. */
function tokenInfo(
  chain: Chain,
  address: string,
  description: TokenDescription | undefined,
  listed: ListedToken | undefined,
): AssetInfo & { listed: boolean } {
  const info: AssetInfo =
    description?.status === 'ok'
      ? description.info
      : {
          chain: chain.slug,
          address,
          standard: chain.family === 'evm' ? 'erc20' : 'spl',
          symbol: null,
          name: null,
          decimals: null,
          flags: [],
        };
  return {
    ...info,
    symbol: info.symbol ?? listed?.symbol ?? null,
    name: info.name ?? listed?.name ?? null,
    listed: listed !== undefined,
  };
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

import type { BalanceSource, TokenDescription } from '../adapters/balance-source.ts';
import type { AssetStore } from '../db/asset-store.ts';
import { type Asset, type AssetInfo, type AssetRef, assetKey } from '../domain/asset.ts';
import type { Chain } from '../domain/chain.ts';

/** A token of the curated list. */
export type ListedToken = { readonly address: string; readonly symbol: string; readonly name: string };

export type StoreAssetsDeps = {
  readonly assets: Pick<AssetStore, 'upsertMany'>;
  /** The curated tokens of a chain. */
  readonly listedTokens: (chain: string) => readonly ListedToken[];
};

type AssetSource = Pick<BalanceSource, 'describeTokens'>;

/** Looks up what is not known yet, or known without its decimals, and stores it. Answers with all the assets asked for. */
export async function storeAssets(
  deps: StoreAssetsDeps,
  { chain, source, signal }: { readonly chain: Chain; readonly source: AssetSource; readonly signal: AbortSignal },
  { named, known }: { readonly named: readonly AssetRef[]; readonly known: ReadonlyMap<string, Asset> },
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

import type { BalanceSource } from '../../adapters/balance-source.ts';
import type { AssetStore } from '../../db/asset-store.ts';
import type { TransferImportStore } from '../../db/ledger/transfer-import-store.ts';
import { type Asset, type AssetRef, assetKey } from '../../domain/asset.ts';
import type { Chain } from '../../domain/chain.ts';
import type { Transfer } from '../../domain/ledger/ledger.ts';
import { type StoreAssetsDeps, storeAssets } from '../store-assets.ts';

/** The assets of one chain whose transfers count: those that balances can tell too. On EVM chains, what nobody knows is most often spam; on Solana balances find every token. */
export type TransferAssets = {
  /** Canonical addresses of the tokens that are listed, or that any tenant ever met. */
  listTokens(): Promise<ReadonlySet<string>>;
  /** The ids of the assets of these transfers, stored if they are not yet; none for those that nobody knows. */
  findIds(transfers: readonly Transfer[], signal: AbortSignal): Promise<(asset: AssetRef) => string | undefined>;
};

export type TransferAssetsDeps = StoreAssetsDeps & {
  readonly assets: Pick<AssetStore, 'upsertMany' | 'getByRefs'>;
  readonly imports: Pick<TransferImportStore, 'listTokens'>;
};

export function createTransferAssets(
  deps: TransferAssetsDeps,
  { chain, describer }: { readonly chain: Chain; readonly describer: Pick<BalanceSource, 'describeTokens'> },
): TransferAssets {
  const listed = new Set(deps.listedTokens(chain.slug).map(({ address }) => address));
  const isTold = ({ address }: AssetRef): boolean => address === null || chain.family === 'solana' || listed.has(address);
  return {
    async listTokens() {
      return new Set([...listed, ...(await deps.imports.listTokens(chain.slug))]);
    },
    async findIds(transfers, signal) {
      const refs = [...new Map(transfers.map(({ asset }) => [assetKey(asset), asset])).values()];
      const known = new Map<string, Asset>((await deps.assets.getByRefs(refs)).map((asset) => [assetKey(asset), asset]));
      const named = refs.filter((ref) => !known.has(assetKey(ref)) && isTold(ref));
      const all =
        named.length === 0
          ? [...known.values()]
          : await storeAssets(deps, { chain, source: describer, signal }, { named, known });
      const ids = new Map(all.map((asset) => [assetKey(asset), asset.id]));
      return (asset) => ids.get(assetKey(asset));
    },
  };
}

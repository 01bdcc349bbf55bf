import type { AssetStore } from '../db/asset-store.ts';
import { type Asset, type AssetRef, caip19 } from '../domain/asset.ts';
import type { Chain, ChainFamily } from '../domain/chain.ts';
import { AppError } from '../domain/errors.ts';

export type FindAssetDeps = {
  readonly assets: Pick<AssetStore, 'get' | 'getByRefs'>;
  readonly chains: readonly Chain[];
  /** The canonical form of an address, undefined for what is none. */
  readonly parseAddress: Readonly<Record<ChainFamily, (text: string) => string | undefined>>;
};

const UUID_PATTERN = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The asset of a UUID or a CAIP-19 id. Throws asset_not_found. */
export async function findAsset(deps: FindAssetDeps, id: string): Promise<Asset> {
  const ref = UUID_PATTERN.test(id) ? undefined : parseCaip19(deps, id);
  const asset = ref === undefined ? await deps.assets.get(id) : (await deps.assets.getByRefs([ref]))[0];
  if (asset === undefined) throw new AppError('asset_not_found', 'There is no asset of this id.');
  return asset;
}

/** The asset a CAIP-19 id of a chain of ours names. Throws asset_not_found for any other text. */
function parseCaip19({ chains, parseAddress }: FindAssetDeps, id: string): AssetRef {
  const chain = chains.find((candidate) => id.startsWith(`${candidate.caip2}/`));
  if (chain !== undefined) {
    if (id === caip19(chain, null)) return { chain: chain.slug, address: null };
    const address = parseAddress[chain.family](id.slice(id.lastIndexOf(':') + 1));
    if (address !== undefined && id.toLowerCase() === caip19(chain, address).toLowerCase()) return { chain: chain.slug, address };
  }
  throw new AppError('asset_not_found', 'There is no asset of this id.');
}

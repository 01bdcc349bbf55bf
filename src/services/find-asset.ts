import type { AssetStore } from '../db/asset-store.ts';
import { type Asset, type AssetRef, assetKey, caip19 } from '../domain/asset.ts';
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
  const ref = UUID_PATTERN.test(id) ? undefined : requireAsset(parseCaip19(deps, id));
  return requireAsset(ref === undefined ? await deps.assets.get(id) : (await deps.assets.getByRefs([ref]))[0]);
}

type FindManyDeps = Omit<FindAssetDeps, 'assets'> & { readonly assets: Pick<AssetStore, 'getMany' | 'getByRefs'> };

/** The assets of many such ids at once, by the ids; one that names none has no entry. */
export async function findAssets(deps: FindManyDeps, ids: readonly string[]): Promise<ReadonlyMap<string, Asset>> {
  const keys = new Map(ids.map((id) => [id, UUID_PATTERN.test(id) ? id.toLowerCase() : parseCaip19(deps, id)]));
  const wanted = [...keys.values()];
  const [byId, byRef] = await Promise.all([
    deps.assets.getMany(wanted.filter((key) => typeof key === 'string')),
    deps.assets.getByRefs(wanted.filter((key) => typeof key === 'object')),
  ]);
  const known = new Map([
    ...byId.map((asset) => [asset.id, asset] as const),
    ...byRef.map((asset) => [assetKey(asset), asset] as const),
  ]);
  return new Map(
    [...keys].flatMap(([id, key]) => {
      const asset = key === undefined ? undefined : known.get(typeof key === 'string' ? key : assetKey(key));
      return asset === undefined ? [] : [[id, asset] as const];
    }),
  );
}

/** The asset a CAIP-19 id of a chain of ours names, if it is one. */
function parseCaip19({ chains, parseAddress }: Pick<FindAssetDeps, 'chains' | 'parseAddress'>, id: string): AssetRef | undefined {
  const chain = chains.find((candidate) => id.startsWith(`${candidate.caip2}/`));
  if (chain === undefined) return undefined;
  if (id === caip19(chain, null)) return { chain: chain.slug, address: null };
  const address = parseAddress[chain.family](id.slice(id.lastIndexOf(':') + 1));
  const isRight = address !== undefined && id.toLowerCase() === caip19(chain, address).toLowerCase();
  return isRight ? { chain: chain.slug, address } : undefined;
}

/** Throws asset_not_found. */
function requireAsset<T>(asset: T | undefined): T {
  if (asset === undefined) throw new AppError('asset_not_found', 'There is no asset of this id.');
  return asset;
}

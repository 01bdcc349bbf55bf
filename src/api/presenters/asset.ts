import { type Asset, caip19 } from '../../domain/asset.ts';
import type { Chain } from '../../domain/chain.ts';
import type { AssetView } from '../../services/asset-service.ts';
import type { AssetWire } from '../schemas/assets.ts';
import { presentPrice, presentSpam } from './figures.ts';

/** The chains by their slugs. */
export type ChainsBySlug = ReadonlyMap<string, Chain>;

type AssetIdentityWire = Pick<AssetWire, 'chain' | 'token_symbol' | 'token_name' | 'token_address' | 'asset_id'>;

/** What an asset is. One stored for a chain that is known no more goes by its UUID, so that the rest of an answer stays readable. */
export function presentAssetIdentity(asset: Asset, chains: ChainsBySlug): AssetIdentityWire {
  const chain = chains.get(asset.chain);
  return {
    chain: asset.chain,
    token_symbol: asset.symbol,
    token_name: asset.name,
    token_address: asset.address,
    asset_id: chain === undefined ? asset.id : caip19(chain, asset.address),
  };
}

/** An asset as clients see it, with the tenant's own settings. */
export function presentAsset({ asset, settings, price, spam }: AssetView, chains: ChainsBySlug): AssetWire {
  const { manualPrice } = settings;
  return {
    id: asset.id,
    ...presentAssetIdentity(asset, chains),
    decimals: asset.decimals,
    standard: asset.standard,
    listed: asset.listed,
    tracked: settings.trackedAt !== null,
    flags: [...asset.flags],
    spam: presentSpam(spam),
    price: presentPrice(price),
    manual_price: manualPrice === null ? null : { value: manualPrice.value, set_at: manualPrice.setAt.toISOString() },
  };
}

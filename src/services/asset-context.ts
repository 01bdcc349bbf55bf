import type { AssetStore } from '../db/asset-store.ts';
import { type Asset, type AssetSettings, DEFAULT_ASSET_SETTINGS } from '../domain/asset.ts';
import type { MarketPrice } from '../domain/price.ts';
import { resolvePrice } from '../domain/price-resolution.ts';
import { judgeSpam } from '../domain/spam.ts';
import type { AssetContext } from '../domain/valuation.ts';
import type { PriceService } from './price-service.ts';

/** A market price older than this is stale. */
const PRICE_STALE_AFTER_MS = 3_600_000;

/** All that bears on how an asset is shown to one tenant, with the market price it was derived from. */
export type FullAssetContext = AssetContext & { readonly market: MarketPrice | undefined };

export type AssetContextDeps = {
  readonly assets: Pick<AssetStore, 'getSettings'>;
  readonly prices: Pick<PriceService, 'getPrices'>;
};

/** The context of each asset, by its id: the tenant's settings, the price that follows from them, and the spam verdict. */
export async function getAssetContexts(
  deps: AssetContextDeps,
  { tenantId, assets, now }: { readonly tenantId: string; readonly assets: readonly Asset[]; readonly now: Date },
): Promise<ReadonlyMap<string, FullAssetContext>> {
  const ids = [...new Set(assets.map((asset) => asset.id))];
  const [settings, markets] = await Promise.all([deps.assets.getSettings(tenantId, ids), deps.prices.getPrices(ids)]);
  return new Map(
    assets.map((asset) => [
      asset.id,
      toContext({ asset, settings: settings.get(asset.id) ?? DEFAULT_ASSET_SETTINGS, market: markets.get(asset.id), now }),
    ]),
  );
}

function toContext({
  asset,
  settings,
  market,
  now,
}: {
  asset: Asset;
  settings: AssetSettings;
  market: MarketPrice | undefined;
  now: Date;
}): FullAssetContext {
  const price = resolvePrice({ market, settings, now, staleAfterMs: PRICE_STALE_AFTER_MS });
  const hasPrice = price.value !== null || !isKnownUnpriced(market);
  return { settings, market, price, spam: judgeSpam({ asset, settings, hasPrice }) };
}

/** Every source was asked and answered: a failed one might know a price. */
function isKnownUnpriced(market: MarketPrice | undefined): boolean {
  return market?.checkedAt != null && market.attempts.every((attempt) => attempt.reason !== 'source_failed');
}

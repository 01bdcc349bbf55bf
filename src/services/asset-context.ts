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

/** What is stored about assets: the tenant's settings and the market's prices, by asset id. */
export type AssetFacts = {
  readonly settings: ReadonlyMap<string, AssetSettings>;
  readonly markets: ReadonlyMap<string, MarketPrice>;
};

export async function readAssetFacts(deps: AssetContextDeps, tenantId: string, assets: readonly Asset[]): Promise<AssetFacts> {
  const ids = [...new Set(assets.map((asset) => asset.id))];
  const [settings, markets] = await Promise.all([deps.assets.getSettings(tenantId, ids), deps.prices.getPrices(ids)]);
  return { settings, markets };
}

/** The context of each asset, by its id: the tenant's settings, the price that follows from them, and the spam verdict. */
export function toAssetContexts(
  assets: readonly Asset[],
  { settings, markets }: AssetFacts,
  now: Date,
): ReadonlyMap<string, FullAssetContext> {
  const unique = new Map(assets.map((asset) => [asset.id, asset]));
  return new Map(
    [...unique].map(([id, asset]) => [
      id,
      toContext({ asset, settings: settings.get(id) ?? DEFAULT_ASSET_SETTINGS, market: markets.get(id), now }),
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

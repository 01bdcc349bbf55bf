import type { AssetRef } from '../domain/asset.ts';
import type { PriceAttempt, Quote } from '../domain/price.ts';

/** What a source said about one asset: a quote it has already checked (see `domain/quote-check.ts`), or why it has none. */
export type PriceAnswer =
  | { readonly asset: AssetRef; readonly quote: Quote }
  | { readonly asset: AssetRef; readonly refused: PriceAttempt };

export type PriceSource = {
  /** The id used in PRICE_SOURCES and in answers: `defillama`. */
  readonly id: string;
  /** Whether it is worth asking this source about the asset. */
  supports(asset: AssetRef): boolean;
  /**
   * US dollar prices for many assets in as few requests as the source allows; an answer for each asset asked. One failed
   * request fails only the assets in it (`source_failed`). Never throws for the vendor's fault.
   */
  fetchPrices(assets: readonly AssetRef[], signal: AbortSignal): Promise<readonly PriceAnswer[]>;
};

/** How many units of a currency one US dollar buys. */
export type FxRate = { readonly currency: string; readonly perUsd: string; readonly source: string; readonly quotedAt: Date };

export type FxSource = {
  readonly id: string;
  /** Rates by upper-case ISO 4217 code (and BTC, ETH where known). Throws AppError when the source fails. */
  fetchRates(signal: AbortSignal): Promise<ReadonlyMap<string, FxRate>>;
};

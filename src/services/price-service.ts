import type { FxRate } from '../adapters/price-source.ts';
import type { AssetRef } from '../domain/asset.ts';
import type { MarketPrice } from '../domain/price.ts';
import type { HealthPart } from './health-service.ts';

export type PriceService = {
  /**
   * Asks the sources in order for every asset whose price is older than the time to live, each asset going on to the next source until one gives a
   * good quote, and stores the outcome. Concurrent calls for the same asset share one request. Never throws for a source's fault.
   */
  refreshPrices(assets: readonly (AssetRef & { readonly id: string })[], signal: AbortSignal): Promise<void>;
  /** What is stored, by asset id; no entry for what was never asked. */
  getPrices(assetIds: readonly string[]): Promise<ReadonlyMap<string, MarketPrice>>;
  /** Brings the rates up to date if they are older than the time to live. Never throws for a source's fault. */
  refreshRates(signal: AbortSignal): Promise<void>;
  /** The last known rate, undefined when no source ever gave one. USD needs no source. */
  getRate(currency: string): Promise<FxRate | undefined>;
  /** Outcome of the last call to each source. */
  health(): readonly HealthPart[];
};

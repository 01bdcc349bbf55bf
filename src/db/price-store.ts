import type { FxRate } from '../adapters/price-source.ts';
import type { MarketPrice } from '../domain/price.ts';

/** Market prices and currency rates, shared by all tenants. */
export type PriceStore = {
  /** By asset id; an asset never asked about has no entry. */
  getPrices(assetIds: readonly string[]): Promise<ReadonlyMap<string, MarketPrice>>;
  /** Writes each entry whole, unless a later `checkedAt` is stored. */
  savePrices(prices: ReadonlyMap<string, MarketPrice>): Promise<void>;
  /** The last known rate of each currency asked for. */
  getRates(currencies: readonly string[]): Promise<ReadonlyMap<string, FxRate>>;
  saveRates(rates: readonly FxRate[]): Promise<void>;
};

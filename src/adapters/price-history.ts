import type { AssetRef } from '../domain/asset.ts';
import type { Quote } from '../domain/price.ts';
import type { FxRate } from './price-source.ts';

/** Prices as they were quoted in the past, one vendor's. */
export type PriceHistorySource = {
  readonly id: string;
  supports(asset: AssetRef): boolean;
  /**
   * US dollar prices quoted before the moments of each asset, and near them: at most so many seconds before. None after. A moment without a quote is simply not there. Throws AppError when
   * the vendor fails.
   */
  fetchQuotes(
    query: { readonly needs: readonly HistoryNeed[]; readonly withinSeconds: number },
    signal: AbortSignal,
  ): Promise<readonly { readonly asset: AssetRef; readonly quote: Quote }[]>;
  /** The coins that are told as currencies, bitcoin and ether, just so. */
  fetchCoinRates(
    query: { readonly moments: readonly Date[]; readonly withinSeconds: number },
    signal: AbortSignal,
  ): Promise<readonly FxRate[]>;
};

export type HistoryNeed = { readonly asset: AssetRef; readonly moments: readonly Date[] };

/** Currency rates of the past. */
export type FxHistorySource = {
  readonly id: string;
  /** As they were known at the moment. Throws AppError when the source cannot tell. */
  fetchRatesAt(moment: Date, signal: AbortSignal): Promise<readonly FxRate[]>;
};

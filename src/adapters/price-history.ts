import type { AssetRef } from '../domain/asset.ts';
import type { Quote } from '../domain/price.ts';

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
};

export type HistoryNeed = { readonly asset: AssetRef; readonly moments: readonly Date[] };

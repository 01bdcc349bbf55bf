import type { FxHistorySource, PriceHistorySource } from '../../adapters/price-history.ts';
import type { PriceHistoryStore, PriceNeed } from '../../db/history/price-history-store.ts';
import type { Asset, AssetRef } from '../../domain/asset.ts';
import { assetKey } from '../../domain/asset.ts';
import { type ErrorCode, toAppError } from '../../domain/errors.ts';
import { PAST_PRICE_MAX_AGE_SECONDS } from '../../domain/history/backfill.ts';

export type PastPrices = {
  /**
   * Looks up, and stores, the prices of assets at moments of the past, as far as none is known that was quoted near before them. Tells how many are known nowhere, and why the vendor could not be asked. Never throws for
   * the vendor's fault.
   */
  fetch(needs: readonly PriceNeed[], assets: readonly Asset[], signal: AbortSignal): Promise<PastPricesOutcome>;
  /** Looks up, and stores, the currency rates of moments near which none is known, and those of the coins that are told as currencies. A day whose rates nobody tells has none: its value is told in dollars. */
  fetchRates(moments: readonly Date[], signal: AbortSignal): Promise<void>;
};

export type PastPricesOutcome = { readonly unpricedCount: number; readonly errorCode: ErrorCode | null };

type PastPricesDeps = {
  /** null: nobody is asked. */
  readonly source: PriceHistorySource | null;
  readonly fxSource: FxHistorySource | null;
  readonly store: PriceHistoryStore;
};

/** Nearly at the moment first, then anything that is not too old. */
const WITHIN_SECONDS = [3_600, PAST_PRICE_MAX_AGE_SECONDS];
/** Rates move little, and rest at weekends. */
const RATE_MAX_AGE_SECONDS = 86_400;
/** Coins are quoted all the time. */
const COIN_WITHIN_SECONDS = 3_600;

export function createPastPrices(deps: PastPricesDeps): PastPrices {
  return {
    async fetch(needs, assets, signal) {
      const byId = new Map(assets.map((asset) => [asset.id, asset]));
      let errorCode: ErrorCode | null = null;
      let left = await deps.store.findUnpriced(needs, PAST_PRICE_MAX_AGE_SECONDS);
      for (const withinSeconds of WITHIN_SECONDS) {
        if (left.length === 0 || errorCode !== null) break;
        errorCode = await lookUp(deps, { needs: left, byId, withinSeconds }, signal);
        left = await deps.store.findUnpriced(left, PAST_PRICE_MAX_AGE_SECONDS);
      }
      return { unpricedCount: left.length, errorCode };
    },
    async fetchRates(moments, signal) {
      await fetchCurrencyRates(deps, moments, signal);
      await fetchCoinRates(deps, moments, signal);
    },
  };
}

async function fetchCurrencyRates(
  { fxSource, store }: PastPricesDeps,
  moments: readonly Date[],
  signal: AbortSignal,
): Promise<void> {
  if (fxSource === null) return;
  const query = { of: 'currencies', maxAgeSeconds: RATE_MAX_AGE_SECONDS } as const;
  for (const moment of await store.findWithoutRates(moments, query)) {
    try {
      await store.saveRates(await fxSource.fetchRatesAt(moment, signal));
    } catch (error) {
      // Whoever cannot tell one day will hardly tell the next one.
      if (toAppError(error).code.startsWith('upstream_')) return;
      throw error;
    }
  }
}

/** What whoever tells currencies has not told of them. */
async function fetchCoinRates({ source, store }: PastPricesDeps, moments: readonly Date[], signal: AbortSignal): Promise<void> {
  const left = await store.findWithoutRates(moments, { of: 'coins', maxAgeSeconds: RATE_MAX_AGE_SECONDS });
  if (source === null || left.length === 0) return;
  try {
    await store.saveRates(await source.fetchCoinRates({ moments: left, withinSeconds: COIN_WITHIN_SECONDS }, signal));
  } catch (error) {
    if (!toAppError(error).code.startsWith('upstream_')) throw error;
  }
}

type LookUp = {
  readonly needs: readonly PriceNeed[];
  readonly byId: ReadonlyMap<string, Asset>;
  readonly withinSeconds: number;
};

/** Why the vendor could not be asked, if that is so. */
async function lookUp(
  { source, store }: PastPricesDeps,
  { needs, byId, withinSeconds }: LookUp,
  signal: AbortSignal,
): Promise<ErrorCode | null> {
  if (source === null) return null;
  const moments = Map.groupBy(needs, ({ assetId }) => assetId);
  const wanted = [...moments].flatMap(([assetId, some]) => {
    const asset = byId.get(assetId);
    return asset === undefined || !source.supports(asset) ? [] : [{ asset, moments: some.map(({ at }) => at) }];
  });
  try {
    const idOf = (asset: AssetRef): string => wanted.find((one) => assetKey(one.asset) === assetKey(asset))?.asset.id ?? '';
    const quotes = await source.fetchQuotes({ needs: wanted, withinSeconds }, signal);
    await store.save(
      quotes.map(({ asset, quote }) => ({
        assetId: idOf(asset),
        quotedAt: quote.quotedAt,
        value: quote.value,
        source: quote.source,
      })),
    );
    return null;
  } catch (error) {
    const { code } = toAppError(error);
    if (!code.startsWith('upstream_')) throw error;
    return code;
  }
}

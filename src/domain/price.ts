import type { Decimal } from './decimal.ts';

export type PriceStatus = 'ok' | 'stale' | 'missing' | 'manual' | 'quarantined';

/** Why a price is missing, was refused or is held back. */
export type PriceReason =
  | 'no_source'
  | 'not_quoted'
  | 'source_failed'
  | 'quote_zero'
  | 'quote_negative'
  | 'quote_absurd'
  | 'quote_not_a_number'
  | 'quote_wrong_currency'
  | 'quote_too_old'
  | 'quote_from_future'
  | 'price_jump'
  | 'unlisted_dominates'
  | 'never_fetched';

/** One usable quote: US dollars for one whole token. */
export type Quote = {
  readonly value: Decimal;
  readonly source: string;
  /** When the source says the price was made. */
  readonly quotedAt: Date;
};

/** What one source said about one asset, unless it gave a good quote. */
export type PriceAttempt = { readonly source: string; readonly reason: PriceReason; readonly detail?: string };

/** Whether it only says that a source does not know the asset, or that none was asked: nothing is wrong with anybody then. */
export function isHarmless(reason: PriceReason): boolean {
  return reason === 'not_quoted' || reason === 'no_source';
}

/** The stored market price of an asset, shared by all tenants. */
export type MarketPrice = {
  /** The last good quote, whatever its age. */
  readonly lastGood: Quote | null;
  /** A newer quote that jumped too far from the last good one and waits for an owner's word. */
  readonly suspect: Quote | null;
  /** When the sources were last asked, and what those said that gave no good quote. */
  readonly checkedAt: Date | null;
  readonly attempts: readonly PriceAttempt[];
};

/** A price as a reader gets it. `value` is null only when the status is `missing`. */
export type Price = {
  readonly value: Decimal | null;
  readonly status: PriceStatus;
  readonly source: string | null;
  readonly quotedAt: Date | null;
  readonly reason: PriceReason | null;
};

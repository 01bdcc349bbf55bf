import type { AssetSettings } from './asset.ts';
import { parseDecimal } from './decimal.ts';
import type { MarketPrice, Price, PriceReason, Quote } from './price.ts';
import { isNear } from './quote-check.ts';

/**
 * The price one tenant sees: the one it set by hand, else the market's. A quote that jumped is quarantined until the tenant accepts one near it; an
 * accepted one counts like any other.
 */
export function resolvePrice({
  market,
  settings,
  now,
  staleAfterMs,
}: {
  readonly market: MarketPrice | undefined;
  readonly settings: AssetSettings;
  readonly now: Date;
  readonly staleAfterMs: number;
}): Price {
  const manual = settings.manualPrice === null ? undefined : parseDecimal(settings.manualPrice.value);
  if (settings.manualPrice !== null && manual !== undefined) {
    return { value: manual, status: 'manual', source: 'manual', quotedAt: settings.manualPrice.setAt, reason: null };
  }
  const { lastGood, suspect } = market ?? { lastGood: null, suspect: null };
  if (suspect !== null && !isAccepted(suspect, settings)) return fromQuote(suspect, 'quarantined', 'price_jump');
  const quote = suspect ?? lastGood;
  if (quote === null) return { value: null, status: 'missing', source: null, quotedAt: null, reason: whyMissing(market) };
  const isStale = now.getTime() - quote.quotedAt.getTime() > staleAfterMs;
  return fromQuote(quote, isStale ? 'stale' : 'ok', isStale ? whyMissing(market) : null);
}

function fromQuote({ value, source, quotedAt }: Quote, status: Price['status'], reason: PriceReason | null): Price {
  return { value, status, source, quotedAt, reason };
}

function isAccepted(suspect: Quote, { acceptedPrice }: AssetSettings): boolean {
  const accepted = acceptedPrice === null ? undefined : parseDecimal(acceptedPrice.value);
  return accepted !== undefined && isNear(accepted, suspect.value);
}

/** The most telling of the reasons: a refusal or a failure says more than that a source does not know the asset. */
function whyMissing(market: MarketPrice | undefined): PriceReason {
  if (market === undefined || market.checkedAt === null) return 'never_fetched';
  const reasons = market.attempts.map((attempt) => attempt.reason);
  return reasons.find((reason) => reason !== 'not_quoted' && reason !== 'no_source') ?? reasons[0] ?? 'no_source';
}

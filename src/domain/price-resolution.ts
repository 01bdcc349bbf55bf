import type { AssetSettings } from './asset.ts';
import { parseDecimal } from './decimal.ts';
import { isHarmless, type MarketPrice, type Price, type PriceReason, type Quote } from './price.ts';
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
  const freshSince = now.getTime() - staleAfterMs;
  const isFresh = quote.quotedAt.getTime() >= freshSince || isConfirmed(market, quote, freshSince);
  // Also a price that is fresh enough may stand because what came after it was refused.
  return fromQuote(quote, isFresh ? 'ok' : 'stale', whyNotRenewed(market));
}

/** Sources that make a new quote only when the price has moved, and stand by the one they have until then. */
const STEADY_SOURCES: ReadonlySet<string> = new Set(['chainlink']);

/** Whether a steady source was asked of late and still stood by the quote. */
function isConfirmed(market: MarketPrice | undefined, quote: Quote, freshSince: number): boolean {
  if (market === undefined || market.checkedAt === null || market.attempts.length > 0) return false;
  return STEADY_SOURCES.has(quote.source) && market.checkedAt.getTime() >= freshSince;
}

function fromQuote({ value, source, quotedAt }: Quote, status: Price['status'], reason: PriceReason | null): Price {
  return { value, status, source, quotedAt, reason };
}

function isAccepted(suspect: Quote, { acceptedPrice }: AssetSettings): boolean {
  const accepted = acceptedPrice === null ? undefined : parseDecimal(acceptedPrice.value);
  return accepted !== undefined && isNear(accepted, suspect.value);
}

function whyMissing(market: MarketPrice | undefined): PriceReason {
  if (market === undefined || market.checkedAt === null) return 'never_fetched';
  return mostTelling(market) ?? 'no_source';
}

/** Null when the last answer was good: then nobody has asked since. */
function whyNotRenewed(market: MarketPrice | undefined): PriceReason | null {
  return market === undefined ? null : mostTelling(market);
}

/** A refusal or a failure says more than that a source does not know the asset. A jump that was accepted is no reason any more. */
function mostTelling({ attempts }: MarketPrice): PriceReason | null {
  const reasons = attempts.map((attempt) => attempt.reason).filter((reason) => reason !== 'price_jump');
  return reasons.find((reason) => !isHarmless(reason)) ?? reasons[0] ?? null;
}

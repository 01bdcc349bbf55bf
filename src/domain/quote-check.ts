import { Decimal, parseDecimal } from './decimal.ts';
import type { PriceReason, Quote } from './price.ts';

/** A quote as a source sent it: digits that nobody has believed yet. */
export type RawQuote = {
  readonly value: string;
  readonly source: string;
  /** When the source says the price was made; null when it does not say. */
  readonly quotedAt: Date | null;
};

export type QuoteVerdict =
  | { readonly isGood: true; readonly quote: Quote }
  | { readonly isGood: false; readonly reason: PriceReason };

/** No asset was ever worth more than a billion dollars a piece; quotes beyond that tell of wrong decimals. */
const MAX_PRICE = new Decimal('1e9');
/** At this price a quadrillion tokens are worth less than a trillionth of a cent: quotes below that tell of wrong decimals too. */
const MIN_PRICE = new Decimal('1e-30');
/** How far a source's clock may be ahead of ours. */
const MAX_AHEAD_MS = 5 * 60_000;

/** Quotes of the market are minutes old, those of a quiet token hours; one of another day belongs to a market that has died. */
const MAX_QUOTE_AGE_MS = 24 * 3_600_000;

/**
 * Whether a quote can be used at all; if not, why. A quote without a time counts as made now, since sources are asked for what holds now.
 * `maxAgeMs` is for sources that say how long their quotes hold.
 */
export function checkQuote(
  raw: RawQuote,
  { now, maxAgeMs = MAX_QUOTE_AGE_MS }: { readonly now: Date; readonly maxAgeMs?: number },
): QuoteVerdict {
  const refuse = (reason: PriceReason): QuoteVerdict => ({ isGood: false, reason });
  const value = parseDecimal(raw.value);
  if (value === undefined) return refuse('quote_not_a_number');
  if (value.isZero()) return refuse('quote_zero');
  if (value.isNegative()) return refuse('quote_negative');
  if (value.isGreaterThan(MAX_PRICE) || value.isLessThan(MIN_PRICE)) return refuse('quote_absurd');
  const quotedAt = raw.quotedAt ?? now;
  const ageMs = now.getTime() - quotedAt.getTime();
  if (Number.isNaN(ageMs)) return refuse('quote_not_a_number');
  if (ageMs > maxAgeMs) return refuse('quote_too_old');
  if (ageMs < -MAX_AHEAD_MS) return refuse('quote_from_future');
  return { isGood: true, quote: { value, source: raw.source, quotedAt } };
}

/** A price that is more than this many times another one, or less than that part of it, has jumped. */
const JUMP_FACTOR = 10;
/** After a week nobody can tell a jump from a market. */
const JUMP_MEMORY_MS = 7 * 24 * 3_600_000;

/** Whether a quote is too far from the last good one to be believed on one source's word. */
export function isPriceJump(lastGood: Quote | null, candidate: Quote): boolean {
  if (lastGood === null || candidate.quotedAt.getTime() - lastGood.quotedAt.getTime() > JUMP_MEMORY_MS) return false;
  return !isNear(lastGood.value, candidate.value);
}

/** Whether two prices are within the jump factor of each other. */
export function isNear(a: Decimal, b: Decimal): boolean {
  return a.isLessThanOrEqualTo(b.times(JUMP_FACTOR)) && b.isLessThanOrEqualTo(a.times(JUMP_FACTOR));
}

/** Whether two prices are within a twentieth of the greater one: as near as two sources come that watch the same market. */
export function agree(a: Decimal, b: Decimal): boolean {
  return a.minus(b).abs().times(20).isLessThanOrEqualTo(Decimal.max(a, b));
}

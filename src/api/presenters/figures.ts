import { type Decimal, formatDecimal } from '../../domain/decimal.ts';
import type { Block } from '../../domain/holding.ts';
import type { Price } from '../../domain/price.ts';
import type { SpamVerdict } from '../../domain/spam.ts';

type BlockWire = { number: number | null; hash: string | null };
type PriceWire = {
  value: string | null;
  currency: 'USD';
  status: Price['status'];
  source: string | null;
  quoted_at: string | null;
  reason: Price['reason'];
};
type SpamWire = { is_spam: boolean; reasons: SpamVerdict['reasons'][number][]; decided_by: SpamVerdict['decidedBy'] };

/** Digits, or null for what is unknown. */
export function presentDecimal(value: Decimal | null): string | null {
  return value === null ? null : formatDecimal(value);
}

/** RFC 3339 in UTC, or null. */
export function presentMoment(moment: Date | null): string | null {
  return moment === null ? null : moment.toISOString();
}

/** A block or slot as a JSON integer; null when it would not survive a client's doubles. */
export function presentBlockNumber(number: bigint): number | null {
  return number <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : null;
}

export function presentBlock(block: Block | null): BlockWire | null {
  return block === null ? null : { number: presentBlockNumber(block.number), hash: block.hash };
}

export function presentPrice(price: Price): PriceWire {
  return {
    value: presentDecimal(price.value),
    currency: 'USD',
    status: price.status,
    source: price.source,
    quoted_at: presentMoment(price.quotedAt),
    reason: price.reason,
  };
}

export function presentSpam(spam: SpamVerdict): SpamWire {
  return { is_spam: spam.isSpam, reasons: [...spam.reasons], decided_by: spam.decidedBy };
}

/** A failure: its code and who failed. Whatever else the object holds stays here. */
export function presentError<Code extends string>(
  error: { readonly code: Code; readonly provider: string | null } | null,
): { code: Code; provider: string | null } | null {
  return error === null ? null : { code: error.code, provider: error.provider };
}

import type { Decimal } from '../decimal.ts';

/** What came into a portfolio (above zero) or left it (below), worth at that moment; a withdrawal before its fee. */
export type Flow = { readonly at: Date; readonly amount: Decimal };

/** What a portfolio was worth at a moment; at the moment of a flow: just before it. */
export type Valuation = { readonly at: Date; readonly value: Decimal };

/** In the order of time; what has the same time keeps its order. */
export function byTime<T extends { readonly at: Date }>(entries: readonly T[]): readonly T[] {
  return entries.toSorted((a, b) => a.at.getTime() - b.at.getTime());
}

import { annualReturn, cumulativeReturns } from './returns.ts';
import type { PeriodReturn } from './statistics.ts';

/** The deepest fall from a peak. Places count periods: 0 is the start, before the first of them. */
export type Drawdown = {
  /** A fraction of the peak, zero or negative. */
  readonly depth: number;
  readonly peak: number;
  readonly trough: number;
  /** The first place at which the peak is reached again; null while it is not, and when nothing fell. */
  readonly recovery: number | null;
};

/** The deepest fall of the index that the returns make, its start included, so that a loss of the first period counts. Null for no period. */
export function maxDrawdown(returns: readonly PeriodReturn[]): Drawdown | null {
  if (returns.length === 0) return null;
  const index = [1, ...cumulativeReturns(returns).map((value) => 1 + value)];
  let peak = 0;
  let deepest = { depth: 0, peak: 0, trough: 0 };
  for (const [place, value] of index.entries()) {
    const height = index[peak] ?? 1;
    if (value > height) peak = place;
    const depth = height > 0 ? Math.min(value / height - 1, 0) : 0;
    if (depth < deepest.depth) deepest = { depth, peak, trough: place };
  }
  const { depth, trough } = deepest;
  const height = index[deepest.peak] ?? 1;
  const recovery = depth === 0 ? -1 : index.findIndex((value, place) => place > trough && value >= height);
  return { ...deepest, recovery: recovery === -1 ? null : recovery };
}

/** Annual return over the depth of the deepest fall. Null for no period, and when nothing fell. */
export function calmarRatio(returns: readonly PeriodReturn[], options: { readonly periodsPerYear?: number } = {}): number | null {
  const fall = maxDrawdown(returns);
  const yearly = annualReturn(returns, options);
  return fall === null || fall.depth === 0 || yearly === null ? null : yearly / -fall.depth;
}

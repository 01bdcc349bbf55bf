import { Decimal } from '../decimal.ts';

export type Concentration = {
  /** The sum of the squared shares (Herfindahl-Hirschman): 1 for one part, 1/n for n equal ones. */
  readonly index: Decimal;
  /** How many equal parts would be as concentrated: 1 / index. */
  readonly effectiveParts: Decimal;
  /** The share of the largest part. */
  readonly largest: Decimal;
};

/** How much of a whole lies in few of its parts. Parts at or below zero are left out; null when none is above. */
export function concentration(values: readonly Decimal[]): Concentration | null {
  const parts = values.filter((value) => value.gt(0));
  const total = parts.reduce((sum, value) => sum.plus(value), new Decimal(0));
  if (parts.length === 0) return null;
  const squares = parts.reduce((sum, value) => sum.plus(value.times(value)), new Decimal(0));
  const index = squares.div(total.times(total));
  return { index, effectiveParts: new Decimal(1).div(index), largest: Decimal.max(...parts).div(total) };
}

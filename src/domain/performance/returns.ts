import { Decimal } from '../decimal.ts';
import { knownReturns, type PeriodReturn } from './statistics.ts';

/** Crypto is traded every day. */
export const DAYS_PER_YEAR = 365;

/** Simple returns between neighbours: V1 / V0 - 1. One fewer than values; null where either value is unknown or the first is not above zero. */
export function simpleReturns(values: readonly (Decimal | null)[]): readonly PeriodReturn[] {
  return values.slice(1).map((value, index) => {
    const before = values[index] ?? null;
    if (value === null || before === null || !before.gt(0)) return null;
    return value.div(before).minus(1).toNumber();
  });
}

/** The return over all periods so far, after each: the product of (1 + r), less 1. An unknown period changes nothing. */
export function cumulativeReturns(returns: readonly PeriodReturn[]): readonly number[] {
  let growth = new Decimal(1);
  return returns.map((value) => {
    const [known] = knownReturns([value]);
    if (known !== undefined) growth = cut(growth.times(new Decimal(1).plus(known)));
    return growth.minus(1).toNumber();
  });
}

/** The return over all periods; null for none. */
export function cumulativeReturn(returns: readonly PeriodReturn[]): number | null {
  return cumulativeReturns(returns).at(-1) ?? null;
}

/**
 * The yearly return that would have led to the same end: (1 + R)^(N / n) - 1, where n counts all periods, unknown ones too. Null for no period, and for a loss of more than everything. Whether
 * less than a year may be told so is for the caller to decide (GIPS: it may not).
 */
export function annualReturn(
  returns: readonly PeriodReturn[],
  { periodsPerYear = DAYS_PER_YEAR }: { readonly periodsPerYear?: number } = {},
): number | null {
  const total = cumulativeReturn(returns);
  if (total === null || total < -1) return null;
  return (1 + total) ** (periodsPerYear / returns.length) - 1;
}

/** A rate of a year as the rate of each of its periods that compounds to it: (1 + R)^(1 / N) - 1. */
export function perPeriodRate(ratePerYear: number, periodsPerYear: number = DAYS_PER_YEAR): number {
  return (1 + ratePerYear) ** (1 / periodsPerYear) - 1;
}

/** Digits enough for any sum of rounding to stay below what a number can hold, so that thousands of factors do not grow without end. */
const DIGITS = 60;

function cut(value: Decimal): Decimal {
  return value.dp(DIGITS);
}

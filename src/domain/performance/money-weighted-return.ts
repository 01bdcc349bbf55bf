import type { Decimal } from '../decimal.ts';
import { byTime, type Flow, type Valuation } from './cash-flow.ts';
import { modifiedDietz } from './modified-dietz.ts';
import { DAYS_PER_YEAR } from './returns.ts';
import { sum } from './statistics.ts';

/** A payment as the investor sees it: paid in is below zero, taken out and what is left at the end is above. */
export type Payment = { readonly at: Date; readonly amount: Decimal };

const DAY_MS = 86_400_000;
const LOWEST_RATE = -0.999999;
const HIGHEST_RATE = 1000;
/** Places between the lowest and the highest rate at which the sign is looked at, even on the scale of growth. */
const GRID_STEPS = 2000;
const BISECTIONS = 200;

/**
 * Every yearly rate r, as a fraction, at which the payments are worth nothing in sum: sum of amount / (1 + r)^(days / 365) = 0 (XIRR, Act/365). From the lowest to the highest between -0.999999 and 1000; none when the
 * payments never change their sign.
 */
export function internalRates(payments: readonly Payment[]): readonly number[] {
  const start = Math.min(...payments.map(({ at }) => at.getTime()));
  // A rate is a number: what is looked for is where the sum changes its sign, not the sum.
  const years = payments.map(({ at, amount }) => ({
    amount: amount.toNumber(),
    years: (at.getTime() - start) / DAY_MS / DAYS_PER_YEAR,
  }));
  const worth = (logGrowth: number): number => sum(years.map((one) => one.amount * Math.exp(-logGrowth * one.years)));
  const [low, high] = [Math.log1p(LOWEST_RATE), Math.log1p(HIGHEST_RATE)];
  const grid = Array.from({ length: GRID_STEPS + 1 }, (_, step) => low + ((high - low) * step) / GRID_STEPS);
  return grid.slice(1).flatMap((right, index) => {
    const left = grid[index] ?? low;
    const [before, after] = [worth(left), worth(right)];
    if (before === 0) return [Math.expm1(left)];
    return before * after < 0 ? [Math.expm1(bisect(worth, left, right))] : [];
  });
}

export type MoneyWeightedReturn = {
  /** A yearly rate, as a fraction. */
  readonly rate: number;
  /** Whether other rates would fit the payments as well; the one nearest to the Modified Dietz return of a year is told. */
  readonly isAmbiguous: boolean;
};

/** The yearly rate at which the start, the flows and the end fit together. Null when there is none, or no time between them. */
export function moneyWeightedReturn(start: Valuation, end: Valuation, flows: readonly Flow[]): MoneyWeightedReturn | null {
  const [from, to] = [start.at.getTime(), end.at.getTime()];
  if (to <= from) return null;
  const inside = byTime(flows).filter(({ at }) => at.getTime() >= from && at.getTime() <= to);
  const payments = [
    { at: start.at, amount: start.value.negated() },
    ...inside.map(({ at, amount }) => ({ at, amount: amount.negated() })),
    { at: end.at, amount: end.value },
  ];
  const rates = internalRates(payments);
  const dietz = modifiedDietz(start, end, inside)?.toNumber() ?? 0;
  const expected = Math.max(1 + dietz, 0) ** ((DAYS_PER_YEAR * DAY_MS) / (to - from)) - 1;
  const [nearest] = rates.toSorted((a, b) => Math.abs(a - expected) - Math.abs(b - expected));
  return nearest === undefined ? null : { rate: nearest, isAmbiguous: rates.length > 1 };
}

/** Where the worth is zero between two places of different sign. */
function bisect(worth: (place: number) => number, left: number, right: number): number {
  let [low, high] = [left, right];
  const isRising = worth(low) < 0;
  for (let step = 0; step < BISECTIONS; step += 1) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (worth(middle) < 0 === isRising) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

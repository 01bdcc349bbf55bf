import { expect, test } from 'vitest';
import { Decimal } from '../../../src/domain/decimal.ts';
import { calmarRatio, maxDrawdown } from '../../../src/domain/performance/drawdown.ts';
import { annualReturn, cumulativeReturn, cumulativeReturns, simpleReturns } from '../../../src/domain/performance/returns.ts';
import {
  beta,
  conditionalValueAtRisk,
  downsideRisk,
  informationRatio,
  sharpeRatio,
  sortinoRatio,
  trackingError,
  valueAtRisk,
  volatility,
} from '../../../src/domain/performance/risk.ts';
import type { PeriodReturn } from '../../../src/domain/performance/statistics.ts';
import empyrical from '../../fixtures/performance/empyrical.json' with { type: 'json' };

type Name = keyof typeof empyrical.returns;

/** A table of the file, each row a case. */
function rows(table: readonly unknown[]): [string | number | null, ...(string | number | null)[]][] {
  return table as [string | number | null, ...(string | number | null)[]][];
}

function series(name: string): readonly PeriodReturn[] {
  return empyrical.returns[name as Name].map((percent) => (percent === null ? null : percent / 100));
}

/** Within 1e-12 of the published figure, in proportion to it. */
function expectFigure(actual: number | null, published: string | number | null | undefined): void {
  if (typeof published !== 'number' || actual === null) expect(actual).toBe(published);
  else expect(Math.abs(actual - published)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(published)));
}

/** A rate of each period as the rate of a year that compounds to it. */
function perYear(rate: number, periodsPerYear: number): number {
  return (1 + rate) ** periodsPerYear - 1;
}

test.each(rows(empyrical.aggregate))('the return of %s over all periods', (name, published) => {
  expectFigure(cumulativeReturn(series(name as string)), published);
});

test.each(empyrical.cumulative)('the returns of %s so far, to the four digits that are published', (name, published) => {
  const all = cumulativeReturns(series(name as string));
  for (const [place, value] of (published as number[]).entries()) expect(all[place]).toBeCloseTo(value, 4);
});

test.each(rows(empyrical.max_drawdown))('the deepest fall of %s', (name, published) => {
  const fall = maxDrawdown(series(name as string));
  expectFigure(fall === null ? null : fall.depth, published);
});

test.each(rows(empyrical.annual_return))('the annual return of %s with %s periods a year', (name, periodsPerYear, published) => {
  expectFigure(annualReturn(series(name as string), { periodsPerYear: Number(periodsPerYear) }), published);
});

test.each(rows(empyrical.annual_volatility))('the volatility of %s with %s periods a year', (name, periodsPerYear, published) => {
  expectFigure(volatility(series(name as string), { periodsPerYear: Number(periodsPerYear) }), published);
});

test.each(rows(empyrical.calmar))('the Calmar ratio of %s with %s periods a year', (name, periodsPerYear, published) => {
  expectFigure(calmarRatio(series(name as string), { periodsPerYear: Number(periodsPerYear) }), published);
});

test.each(rows(empyrical.sharpe))('the Sharpe ratio of %s', (name, published) => {
  expectFigure(sharpeRatio(series(name as string), { periodsPerYear: 252 }), published);
});

test.each(rows(empyrical.downside_risk))(
  'the downside risk of %s, %s periods a year, over %s',
  (name, periods, required, published) => {
    const riskFreePerYear = perYear(Number(required), Number(periods));
    expectFigure(downsideRisk(series(name as string), { periodsPerYear: Number(periods), riskFreePerYear }), published);
  },
);

test.each(rows(empyrical.sortino))(
  'the Sortino ratio of %s, %s periods a year, over %s',
  (name, periods, required, published) => {
    const riskFreePerYear = perYear(Number(required), Number(periods));
    expectFigure(sortinoRatio(series(name as string), { periodsPerYear: Number(periods), riskFreePerYear }), published);
  },
);

test.each(rows(empyrical.information_ratio))('the information ratio of %s to %s', (name, other, published) => {
  expectFigure(informationRatio(series(name as string), series(other as string), { periodsPerYear: 1 }), published);
});

test.each(rows(empyrical.beta))('the beta of %s to %s', (name, other, published) => {
  expectFigure(beta(series(name as string), series(other as string)), published);
});

test('value at risk lies between neighbours, and what is beyond it is averaged', () => {
  const returns = Array.from({ length: 21 }, (_, index) => (index - 10) / 100);
  expect(valueAtRisk(returns)).toBeCloseTo(-0.09, 12);
  expect(valueAtRisk([-0.1, 0.1], { share: 0.25 })).toBeCloseTo(-0.05, 12);
  // floor(0.05 x 20) + 1 = 2 of them.
  expect(conditionalValueAtRisk(returns)).toBeCloseTo(-0.095, 12);
  expect([valueAtRisk([]), conditionalValueAtRisk([null])]).toEqual([null, null]);
});

test('the tracking error is the volatility of the difference', () => {
  const ours = [0.02, null, -0.01, 0.03];
  const theirs = [0.01, 0.5, 0.01, 0.01];
  expectFigure(trackingError(ours, theirs, { periodsPerYear: 12 }), volatility([0.01, -0.02, 0.02], { periodsPerYear: 12 }));
  expect(() => trackingError([0.1], [])).toThrow(RangeError);
});

test('simple returns are unknown next to what is unknown or worth nothing', () => {
  const values = [100, 110, 0, 50, null, 50].map((value) => (value === null ? null : new Decimal(value)));
  expect(simpleReturns(values)).toEqual([0.1, -1, null, null, null]);
});

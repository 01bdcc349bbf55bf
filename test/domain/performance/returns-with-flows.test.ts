import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Decimal } from '../../../src/domain/decimal.ts';
import type { Flow, Valuation } from '../../../src/domain/performance/cash-flow.ts';
import { modifiedDietz } from '../../../src/domain/performance/modified-dietz.ts';
import { internalRates, moneyWeightedReturn } from '../../../src/domain/performance/money-weighted-return.ts';
import { timeWeightedReturn } from '../../../src/domain/performance/time-weighted-return.ts';
import published from '../../fixtures/performance/portfolio-performance.json' with { type: 'json' };

const DAY_MS = 86_400_000;
const at = (day: string): Date => new Date(`${day}T00:00:00Z`);
const valued = (day: string, value: string | number): Valuation => ({ at: at(day), value: new Decimal(value) });
const flow = (day: string, amount: string | number): Flow => ({ at: at(day), amount: new Decimal(amount) });

/** Flows of a day happen at noon of it, between two valuations: nothing values them. */
const noon = (day: string): Date => new Date(at(day).getTime() - DAY_MS / 2);

describe('the time-weighted return', () => {
  test('of days whose flows nothing values is that of Portfolio Performance, to its six digits', () => {
    const { days } = published;
    const flows = days.map(({ day, flow: amount }) => ({ at: noon(day), amount: new Decimal(amount) }));
    for (const [place, { rate, index }] of days.entries()) {
      if (place === 0) continue;
      const until = days.slice(0, place + 1).map(({ day, value }) => valued(day, value));
      const soFar = timeWeightedReturn(
        until,
        flows.filter(({ amount }) => !amount.isZero()),
      );
      expect(soFar?.rate.toNumber()).toBeCloseTo(index, 6);
      expect(soFar?.periods.at(-1)?.rate.toNumber()).toBeCloseTo(rate, 6);
    }
  });

  test('splits at each flow and does not see it', () => {
    // 1,000 becomes 1,100; 900 come in; 2,000 becomes 1,800: 1.1 x 0.9.
    const result = timeWeightedReturn(
      [valued('2026-01-01', 1000), valued('2026-02-01', 1100), valued('2026-03-01', 1800)],
      [flow('2026-02-01', 900)],
    );
    expect(result?.rate.toFixed()).toBe('-0.01');
    expect(result?.isExact).toBe(true);
  });

  test('tells a stretch that nothing was there to earn on', () => {
    const result = timeWeightedReturn([valued('2026-01-01', 0), valued('2026-01-02', 5)], []);
    expect(result).toMatchObject({ isExact: false, periods: [{ method: 'undefined' }] });
    expect(result?.rate.toFixed()).toBe('0');
    expect(timeWeightedReturn([valued('2026-01-01', 0), valued('2026-01-02', 0)], [])?.isExact).toBe(true);
    expect(timeWeightedReturn([valued('2026-01-01', 1)], [])).toBeNull();
  });

  test('is the same whatever comes and goes at valued moments', () => {
    const growth = fc.array(fc.integer({ min: -50, max: 100 }), { minLength: 1, maxLength: 20 });
    const amounts = fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(growth, amounts, (percents, deposits) => {
        let value = new Decimal(1000);
        const valuations: Valuation[] = [{ at: new Date(0), value }];
        const flows: Flow[] = [];
        for (const [index, percent] of percents.entries()) {
          const moment = new Date((index + 1) * DAY_MS);
          value = value.times(100 + percent).div(100);
          valuations.push({ at: moment, value });
          const amount = new Decimal(deposits[index] ?? 0);
          flows.push({ at: moment, amount });
          value = value.plus(amount);
        }
        const expected = percents.reduce((product, percent) => product.times(100 + percent).div(100), new Decimal(1)).minus(1);
        const result = timeWeightedReturn(valuations, flows);
        expect(result?.isExact).toBe(true);
        expect(result?.rate.minus(expected).abs().lt('1e-30')).toBe(true);
      }),
    );
  });
});

describe('the Modified Dietz return', () => {
  test('of the example of Portfolio Performance, flows at the end of their days', () => {
    const days = published.days;
    const flows = days.map(({ day, flow: amount }) => flow(day, amount));
    const result = modifiedDietz(valued('2011-12-31', 10_000), valued('2012-01-08', '10596.15'), flows);
    expect(result?.toNumber()).toBeCloseTo(published.modified_dietz, 9);
  });

  test('weighs a flow by the time it was there, and is unknown without capital', () => {
    const result = modifiedDietz(valued('2026-01-01', 100), valued('2026-01-11', 160), [flow('2026-01-06', 50)]);
    expect(result?.toFixed(12)).toBe('0.080000000000');
    expect(modifiedDietz(valued('2026-01-01', 0), valued('2026-01-11', 10), [])).toBeNull();
    expect(modifiedDietz(valued('2026-01-01', 1), valued('2026-01-01', 1), [])).toBeNull();
  });
});

describe('the money-weighted return', () => {
  test.each(published.internal_rates)('is the rate that spreadsheets find: $rate', ({ payments, rate, digits }) => {
    const rates = internalRates(payments.map(([day, amount]) => ({ at: at(String(day)), amount: new Decimal(amount ?? 0) })));
    expect(rates).toHaveLength(1);
    expect(rates[0]).toBeCloseTo(rate, digits);
  });

  test('makes the payments worth nothing in sum', () => {
    const amount = fc.integer({ min: 1, max: 1_000_000 });
    const flows = fc.array(fc.tuple(fc.integer({ min: 1, max: 700 }), amount), { maxLength: 8 });
    fc.assert(
      fc.property(amount, flows, amount, (start, deposits, end) => {
        const last = new Date(730 * DAY_MS);
        const result = moneyWeightedReturn(
          { at: new Date(0), value: new Decimal(start) },
          { at: last, value: new Decimal(end) },
          deposits.map(([day, paid]) => ({ at: new Date(day * DAY_MS), amount: new Decimal(paid) })),
        );
        if (result === null) return;
        const worth = (days: number, paid: number): number => paid / (1 + result.rate) ** (days / 365);
        const total = deposits.reduce((sum, [day, paid]) => sum - worth(day, paid), worth(730, end) - start);
        const scale = deposits.reduce((sum, [day, paid]) => sum + worth(day, paid), worth(730, end) + start);
        expect(Math.abs(total)).toBeLessThan(1e-9 * scale);
        expect(result.isAmbiguous).toBe(false);
      }),
    );
  });

  test('is unknown where no rate fits, and says when several do', () => {
    expect(moneyWeightedReturn(valued('2026-01-01', 100), valued('2027-01-01', 0), [])).toBeNull();
    // Out, in, out: 10 % and 20 % a year both fit.
    const several = moneyWeightedReturn(valued('2025-01-01', 100), valued('2027-01-01', -132), [flow('2026-01-01', -230)]);
    expect(several?.isAmbiguous).toBe(true);
    expect([0.1, 0.2].some((rate) => Math.abs(rate - (several?.rate ?? 0)) < 1e-9)).toBe(true);
  });
});

import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { Decimal } from '../../../src/domain/decimal.ts';
import { parseBasket } from '../../../src/domain/performance/basket-notation.ts';
import { costBasis, type Trade, unrealised } from '../../../src/domain/performance/cost-basis.ts';
import { dailyReturns } from '../../../src/domain/performance/daily-returns.ts';
import { PERFORMANCE_PERIODS, periodStart } from '../../../src/domain/performance/period.ts';
import { timeWeightedReturn } from '../../../src/domain/performance/time-weighted-return.ts';

const HOUR_MS = 3_600_000;

describe('a period', () => {
  test.each([
    ['1d', '2026-03-29T12:00:00Z', 'Europe/Berlin', '2026-03-28T13:00:00.000Z'],
    ['1d', '2026-11-01T17:00:00Z', 'America/New_York', '2026-10-31T16:00:00.000Z'],
    ['1w', '2026-03-29T12:00:00Z', 'UTC', '2026-03-22T12:00:00.000Z'],
    ['1M', '2026-03-31T12:00:00Z', 'UTC', '2026-02-28T12:00:00.000Z'],
    ['3M', '2026-05-31T12:00:00Z', 'UTC', '2026-02-28T12:00:00.000Z'],
    ['1y', '2028-02-29T12:00:00Z', 'UTC', '2027-02-28T12:00:00.000Z'],
    ['ytd', '2026-07-01T00:00:00Z', 'Asia/Kathmandu', '2025-12-31T18:15:00.000Z'],
    ['ytd', '2025-12-31T12:00:00Z', 'Pacific/Apia', '2025-12-31T11:00:00.000Z'],
  ] as const)('%s until %s in %s begins at %s', (period, end, zone, start) => {
    expect(periodStart(period, new Date(end), zone)?.toISOString()).toBe(start);
  });

  it('begins before it ends, whatever the zone', () => {
    const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia'];
    const moments = fc.integer({ min: 1_300_000_000, max: 2_000_000_000 });
    fc.assert(
      fc.property(fc.constantFrom(...PERFORMANCE_PERIODS), fc.constantFrom(...zones), moments, (period, zone, seconds) => {
        const end = new Date(seconds * 1000);
        const start = periodStart(period, end, zone);
        expect(start === null).toBe(period === 'all');
        expect((start ?? new Date(0)) <= end).toBe(true);
      }),
    );
  });
});

describe('daily returns', () => {
  const values = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 1000 }), fc.integer({ min: -400, max: 400 })),
    {
      minLength: 2,
      maxLength: 40,
    },
  );
  /** Valuations some hours apart, with a flow at each that leaves something. */
  const build = (steps: readonly (readonly [number, number, number])[]) => {
    let hours = 0;
    const valuations = steps.map(([length, value]) => {
      hours += length;
      return { at: new Date(hours * HOUR_MS), value: new Decimal(value) };
    });
    const flows = steps.flatMap(([, value, amount], index) => {
      const at = valuations[index]?.at;
      return at === undefined || value + amount <= 0 ? [] : [{ at, amount: new Decimal(amount) }];
    });
    return { valuations, flows };
  };

  it('link to the return of the whole, with an entry for each day', () => {
    fc.assert(
      fc.property(values, (steps) => {
        const { valuations, flows } = build(steps);
        const whole = timeWeightedReturn(valuations, flows);
        const days = dailyReturns(whole?.periods ?? []);
        const linked = days.reduce((growth, { rate }) => growth * (1 + (rate ?? 0)), 1);
        const expected = (whole?.rate.toNumber() ?? 0) + 1;
        expect(Math.abs(linked - expected)).toBeLessThanOrEqual(1e-12 * (expected + 1));
        expect(days.every(({ day }, index) => day.getTime() === (days[0]?.day.getTime() ?? 0) + index * 24 * HOUR_MS)).toBe(true);
        expect(
          days.every(({ at, rate, ownRate }) => (at === null) === (rate === null) && (ownRate === null || ownRate === rate)),
        ).toBe(true);
      }),
    );
  });

  it('are the same however the time is split', () => {
    fc.assert(
      fc.property(values, fc.nat(), (steps, at) => {
        const { valuations, flows } = build(steps);
        const cut = valuations[at % valuations.length];
        if (cut === undefined) return;
        const [before, after] = [
          timeWeightedReturn(
            valuations.filter((one) => one.at <= cut.at),
            flows,
          ),
          timeWeightedReturn(
            valuations.filter((one) => one.at >= cut.at),
            flows,
          ),
        ];
        const one = new Decimal(1);
        const linked = one
          .plus(before?.rate ?? 0)
          .times(one.plus(after?.rate ?? 0))
          .minus(1);
        expect(
          linked
            .minus(timeWeightedReturn(valuations, flows)?.rate ?? 0)
            .abs()
            .lt('1e-25'),
        ).toBe(true);
      }),
    );
  });

  it('are none of a day that follows days without a valuation', () => {
    const at = (day: number): Date => new Date(day * 24 * HOUR_MS);
    const points = [0, 1, 4, 5].map((day) => ({ at: at(day), value: new Decimal(2 ** day) }));
    const days = dailyReturns(timeWeightedReturn(points, [])?.periods ?? []);
    expect(days.map(({ rate }) => rate)).toEqual([1, null, null, 7, 1]);
    expect(days.map(({ ownRate }) => ownRate)).toEqual([1, null, null, null, 1]);
    expect(dailyReturns([])).toEqual([]);
  });
});

test.each([
  ['btc:50,eth:50', 'btc 0.5, eth 0.5'],
  ['usd:100', 'usd 1'],
  ['eip155:1/slip44:60:33.3, sol:66.7', 'eip155:1/slip44:60 0.333, sol 0.667'],
  ['btc:50,eth:49', undefined],
  ['btc:50,btc:50', undefined],
  ['btc:100,eth:0', undefined],
  ['btc:150,eth:-50', undefined],
  ['btc', undefined],
  ['', undefined],
])('the basket %s is %s', (text, parts) => {
  expect(
    parseBasket(text)
      ?.map(({ name, weight }) => `${name} ${weight.toFixed()}`)
      .join(', '),
  ).toBe(parts);
});

test('units of unknown cost are held and sold apart from the others', () => {
  const trade = (day: number, quantity: number, price: number | null): Trade => ({
    at: new Date(day * 24 * HOUR_MS),
    quantity: new Decimal(quantity),
    price: price === null ? null : new Decimal(price),
    fee: new Decimal(0),
  });
  const trades = [trade(1, 10, 100), trade(2, 10, null), trade(3, -15, 150), trade(4, 5, 200), trade(5, -1, null)];
  // First out: ten at 100 for 150, five of unknown cost; then one of those for nobody knows what.
  const first = costBasis(trades, 'fifo');
  expect(first).toMatchObject({
    realised: new Decimal(500),
    cost: new Decimal(1000),
    uncosted: new Decimal(4),
    untold: new Decimal(6),
  });
  expect(unrealised(first, new Decimal(220)).toFixed()).toBe('100');
  // Where the price decides, they go last.
  const dearest = costBasis(trades, 'hifo');
  expect(dearest).toMatchObject({
    realised: new Decimal(500),
    cost: new Decimal(800),
    uncosted: new Decimal(5),
    untold: new Decimal(6),
  });
  expect(costBasis(trades, 'average')).toMatchObject({ quantity: new Decimal(9), uncosted: new Decimal(5) });
});

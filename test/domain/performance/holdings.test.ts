import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Decimal } from '../../../src/domain/decimal.ts';
import { runBenchmark } from '../../../src/domain/performance/benchmark.ts';
import { concentration } from '../../../src/domain/performance/concentration.ts';
import { type CostBasisMethod, costBasis, type Trade, unrealised } from '../../../src/domain/performance/cost-basis.ts';

const at = (day: string): Date => new Date(`${day}T00:00:00Z`);
const dec = (value: string | number): Decimal => new Decimal(value);
const prices = (day: string, btc: number, eth: number) => ({
  at: at(day),
  prices: new Map([
    ['btc', dec(btc)],
    ['eth', dec(eth)],
  ]),
});
const HALVES = [
  { id: 'btc', weight: dec('0.5') },
  { id: 'eth', weight: dec('0.5') },
];

describe('a benchmark', () => {
  const run = (rebalancing: 'never' | 'monthly') =>
    runBenchmark({
      basket: HALVES,
      startValue: dec(10_000),
      prices: [prices('2026-01-01', 50_000, 2_500), prices('2026-01-15', 60_000, 2_000), prices('2026-02-01', 75_000, 3_000)],
      flows: [
        { at: at('2026-01-10'), amount: dec(5_000) },
        { at: at('2026-01-15'), amount: dec(-4_000) },
      ],
      rebalancing,
    });

  test('is fed deposits by its weights and withdrawals by what is there', () => {
    // 0.1 BTC and 2 ETH; worth 10,000 when 5,000 come in (2,500 each) and 4,000 of 15,000 go.
    const { points, exhaustedAt } = run('never');
    expect(points.map(({ value }) => value.toFixed(6))).toEqual(['10000.000000', '10000.000000', '14941.666667']);
    expect(exhaustedAt).toBeNull();
  });

  test('goes back to its weights with the month', () => {
    const last = run('monthly').points.at(-1);
    const worth = (id: string, price: number): string => (last?.units.get(id) ?? dec(0)).times(price).toFixed(6);
    expect(last?.value.toFixed(6)).toBe('14941.666667');
    expect(worth('btc', 75_000)).toBe('7470.833333');
    expect(worth('eth', 3_000)).toBe('7470.833333');
  });

  test('says when more was taken out than it held', () => {
    const { points, exhaustedAt } = runBenchmark({
      basket: HALVES,
      startValue: dec(1_000),
      prices: [prices('2026-01-01', 1, 1), prices('2026-01-02', 1, 1), prices('2026-01-03', 2, 2)],
      flows: [{ at: at('2026-01-02'), amount: dec(-1_500) }],
      rebalancing: 'never',
    });
    expect(exhaustedAt).toEqual(at('2026-01-02'));
    expect(points.at(-1)?.value.toFixed()).toBe('0');
  });

  test('refuses weights that are not a whole, and a price that is missing', () => {
    const [half] = HALVES;
    const start = { startValue: dec(1), prices: [prices('2026-01-01', 1, 1)], flows: [], rebalancing: 'never' } as const;
    expect(() => runBenchmark({ ...start, basket: half === undefined ? [] : [half] })).toThrow(RangeError);
    expect(() => runBenchmark({ ...start, basket: [{ id: 'sol', weight: dec(1) }] })).toThrow(/no price of sol/);
  });
});

describe('cost basis', () => {
  const trade = (day: string, quantity: number, price: number, fee = 0): Trade => ({
    at: at(day),
    quantity: dec(quantity),
    price: dec(price),
    fee: dec(fee),
  });
  const trades = [
    trade('2026-01-01', 10, 100),
    trade('2026-01-02', 10, 300),
    trade('2026-01-03', 10, 200),
    trade('2026-01-04', -15, 250, 5),
  ];

  test.each([
    ['fifo', 15 * 250 - 5 - (1000 + 1500), 1500 + 2000],
    ['lifo', 15 * 250 - 5 - (2000 + 1500), 1000 + 1500],
    ['hifo', 15 * 250 - 5 - (3000 + 1000), 1000 + 1000],
    ['average', 15 * 250 - 5 - 3000, 3000],
  ] satisfies [CostBasisMethod, number, number][])('by %s', (method, realised, cost) => {
    const result = costBasis(trades, method);
    expect(result).toMatchObject({
      quantity: dec(15),
      realised: dec(realised),
      cost: dec(cost),
      fees: dec(5),
      unexplained: dec(0),
    });
    expect(unrealised(result, dec(300)).toNumber()).toBe(15 * 300 - cost);
  });

  test('tells what was sold without having been bought', () => {
    const result = costBasis([trade('2026-01-01', 1, 100, 2), trade('2026-01-02', -3, 110)], 'fifo');
    expect(result).toMatchObject({ unexplained: dec(2), quantity: dec(0), cost: dec(0), realised: dec(3 * 110 - 102) });
  });

  test('loses nothing, whichever units go first', () => {
    const anyTrade = fc.record({
      quantity: fc.integer({ min: -50, max: 50 }),
      price: fc.integer({ min: 1, max: 1000 }),
      fee: fc.integer({ min: 0, max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(anyTrade, { maxLength: 30 }), fc.constantFrom('fifo', 'lifo', 'hifo', 'average'), (list, method) => {
        const all = list.map(({ quantity, price, fee }, index) => ({
          at: new Date(index),
          quantity: dec(quantity),
          price: dec(price),
          fee: dec(fee),
        }));
        const { realised, cost, quantity, unexplained } = costBasis(all, method);
        // Money out and money in, less what it bought that is still there, is what was realised.
        const cash = list.reduce((total, one) => total - one.quantity * one.price - one.fee, 0);
        expect(realised.minus(cost).minus(cash).abs().lt('1e-25')).toBe(true);
        expect(quantity.minus(unexplained).toNumber()).toBe(list.reduce((total, one) => total + one.quantity, 0));
      }),
    );
  });
});

test('concentration tells one part from many equal ones', () => {
  expect(concentration([])).toBeNull();
  expect(concentration([dec(5), dec(0), dec(-1)])).toMatchObject({ index: dec(1), effectiveParts: dec(1), largest: dec(1) });
  expect(concentration([dec(1), dec(1), dec(1), dec(1)])).toMatchObject({
    index: dec('0.25'),
    effectiveParts: dec(4),
    largest: dec('0.25'),
  });
});

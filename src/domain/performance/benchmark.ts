import { Decimal } from '../decimal.ts';
import { byTime, type Flow } from './cash-flow.ts';

/** One part of a basket: its share of the whole (the shares add up to 1) and its prices. */
export type BasketPart = { readonly id: string; readonly weight: Decimal };

/** What each part of the basket costs at a moment, by its id. */
export type BasketPrices = { readonly at: Date; readonly prices: ReadonlyMap<string, Decimal> };

export type BenchmarkPoint = {
  readonly at: Date;
  /** Before a flow of the same moment. */
  readonly value: Decimal;
  readonly units: ReadonlyMap<string, Decimal>;
};

export type BenchmarkRun = {
  /** One for each moment with prices, in the order of time. */
  readonly points: readonly BenchmarkPoint[];
  /** Since when the basket was empty, as more was taken out than it was worth; null when it never was. */
  readonly exhaustedAt: Date | null;
};

export const REBALANCING_RULES = ['never', 'monthly'] as const;
export type RebalancingRule = (typeof REBALANCING_RULES)[number];

type BenchmarkOptions = {
  readonly basket: readonly BasketPart[];
  /** What is bought at the first moment with prices. */
  readonly startValue: Decimal;
  readonly prices: readonly BasketPrices[];
  /** Each takes effect at the first moment with prices at or after it, those at or before the first moment are part of the start value. */
  readonly flows: readonly Flow[];
  /** `monthly`: back to the weights at the first moment of each month (UTC). */
  readonly rebalancing: RebalancingRule;
};

/**
 * A basket that is fed a portfolio's own deposits and withdrawals. A deposit buys by the weights; a withdrawal sells each part in proportion to what is there, so that it does not rebalance. Throws RangeError for weights
 * that do not add up to 1 and for a missing price.
 */
export function runBenchmark({ basket, startValue, prices, flows, rebalancing }: BenchmarkOptions): BenchmarkRun {
  const weights = basket.reduce((total, { weight }) => total.plus(weight), new Decimal(0));
  if (!weights.eq(1)) throw new RangeError(`the weights of a basket add up to 1, not ${weights.toFixed()}`);
  const moments = byTime(prices);
  const [first] = moments;
  const due = byTime(flows).filter(({ at }) => first !== undefined && at > first.at);
  let place = 0;
  let units = new Map<string, Decimal>();
  let exhaustedAt: Date | null = null;
  const points = moments.map((moment, index): BenchmarkPoint => {
    const before = moments[index - 1];
    if (before === undefined) units = buy(basket, moment, startValue);
    let value = worth(units, moment);
    if (before !== undefined && rebalancing === 'monthly' && !isSameMonth(before.at, moment.at))
      units = buy(basket, moment, value);
    const point = { at: moment.at, value, units: new Map(units) };
    const begin = place;
    while ((due[place]?.at ?? NEVER) <= moment.at) place += 1;
    for (const { amount } of due.slice(begin, place)) {
      const rest = value.plus(amount);
      if (amount.lt(0) && !rest.gt(0)) exhaustedAt ??= moment.at;
      units = amount.gt(0) ? merge(units, buy(basket, moment, amount)) : scale(units, value, rest);
      value = rest.gt(0) ? rest : new Decimal(0);
    }
    return point;
  });
  return { points, exhaustedAt };
}

/** The last moment that a Date can tell. */
const NEVER = new Date(8.64e15);

function buy(basket: readonly BasketPart[], moment: BasketPrices, amount: Decimal): Map<string, Decimal> {
  return new Map(basket.map(({ id, weight }) => [id, weight.times(amount).div(priceOf(moment, id))]));
}

function merge(a: ReadonlyMap<string, Decimal>, b: ReadonlyMap<string, Decimal>): Map<string, Decimal> {
  return new Map([...a].map(([id, units]) => [id, units.plus(b.get(id) ?? 0)]));
}

/** What is left of each part when the whole goes from `value` to `rest`. */
function scale(units: ReadonlyMap<string, Decimal>, value: Decimal, rest: Decimal): Map<string, Decimal> {
  const left = rest.gt(0) ? rest : new Decimal(0);
  return new Map([...units].map(([id, amount]) => [id, value.gt(0) ? amount.times(left).div(value) : amount]));
}

function worth(units: ReadonlyMap<string, Decimal>, moment: BasketPrices): Decimal {
  return [...units].reduce((total, [id, amount]) => total.plus(amount.times(priceOf(moment, id))), new Decimal(0));
}

function priceOf({ at, prices }: BasketPrices, id: string): Decimal {
  const price = prices.get(id);
  if (price?.gt(0)) return price;
  throw new RangeError(`the basket has no price of ${id} at ${at.toISOString()}`);
}

function isSameMonth(a: Date, b: Date): boolean {
  return a.getUTCFullYear() === b.getUTCFullYear() && a.getUTCMonth() === b.getUTCMonth();
}

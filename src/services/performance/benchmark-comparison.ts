import type { HistoryStore } from '../../db/history/history-store.ts';
import type { PerformanceStore } from '../../db/history/performance-store.ts';
import { Decimal } from '../../domain/decimal.ts';
import { AppError } from '../../domain/errors.ts';
import { parseBasket } from '../../domain/performance/basket-notation.ts';
import { type BasketPrices, type RebalancingRule, runBenchmark } from '../../domain/performance/benchmark.ts';
import { timeWeightedReturn } from '../../domain/performance/time-weighted-return.ts';
import { type FindAssetDeps, findAsset } from '../find-asset.ts';
import type { BenchmarkResult } from './performance.ts';
import { type CashView, timeWeightedFigure } from './performance-figures.ts';
import type { SeriesPoint } from './performance-series.ts';

/** A part of a basket: what a currency's rate prices (bitcoin and ether are told among them), or an asset. */
type Part = { readonly name: string; readonly weight: Decimal } & (
  | { readonly code: string; readonly assetId: null }
  | { readonly code: null; readonly assetId: string }
);

export type Basket = readonly Part[];

const CODE = /^[a-z]{3,5}$/i;

/** Reads `btc:50,eth:50`: codes of currencies and coins, asset ids (UUID or CAIP-19). Throws invalid_request, asset_not_found. */
export async function readBasket(deps: FindAssetDeps, text: string): Promise<Basket> {
  const named = parseBasket(text);
  if (named === undefined) {
    const message = 'Give at most ten parts with their share in per cent, 100 in sum: btc:50,eth:50.';
    throw new AppError('invalid_request', message, {
      issues: [{ pointer: '/query/benchmark', code: 'invalid_value', message }],
    });
  }
  return Promise.all(
    named.map(async ({ name, weight }): Promise<Part> => {
      if (CODE.test(name)) return { name: name.toLowerCase(), weight, code: name.toUpperCase(), assetId: null };
      return { name, weight, code: null, assetId: (await findAsset(deps, name)).id };
    }),
  );
}

type Deps = { readonly history: Pick<HistoryStore, 'readRates'>; readonly performance: Pick<PerformanceStore, 'readPrices'> };

type Comparison = {
  readonly basket: Basket;
  readonly rebalancing: RebalancingRule;
  readonly points: readonly SeriesPoint[];
  readonly view: CashView | undefined;
};

/** What the basket would have become with the portfolio's own flows, from the first moment at which all its parts have prices. */
export async function compareWithBasket(deps: Deps, { basket, rebalancing, points, view }: Comparison): Promise<BenchmarkResult> {
  const prices = await readPartPrices(deps, basket, points);
  const names = basket.map(({ name }) => name);
  const whole = prices.filter((moment) => names.every((name) => moment.prices.has(name)));
  const told = {
    basket: basket.map(({ name, weight }) => ({ name, weight })),
    rebalancing,
    unpricedParts: names.filter((name) => !prices.some((moment) => moment.prices.has(name))),
  };
  const start = whole[0]?.at ?? null;
  const stretch = start === null ? undefined : cutBefore(view, start);
  const own = timeWeightedFigure(stretch);
  const begin = stretch?.valuations[0];
  if (stretch === undefined || begin === undefined || own.value === null) {
    const reason = view === undefined ? 'no_snapshot' : start === null ? 'basket_unpriced' : (own.reason ?? 'one_snapshot');
    const none = { value: null, reason } as const;
    return {
      ...told,
      startsAt: start,
      endValue: none,
      valueDifference: none,
      timeWeighted: none,
      rateDifference: none,
      exhaustedAt: null,
    };
  }
  const { flows } = stretch;
  const run = runBenchmark({
    basket: basket.map(({ name: id, weight }) => ({ id, weight })),
    startValue: begin.value,
    prices: whole,
    flows,
    rebalancing,
  });
  const rate = timeWeightedReturn(run.points, flows)?.rate.toNumber() ?? 0;
  const last = flows.filter(({ at }) => at.getTime() === stretch.end.at.getTime());
  const beforeLast = run.points.at(-1)?.value ?? new Decimal(0);
  const endValue = Decimal.max(
    last.reduce((value, { amount }) => value.plus(amount), beforeLast),
    0,
  ).dp(MONEY_DIGITS);
  return {
    ...told,
    startsAt: start,
    endValue: { value: endValue, reason: null },
    valueDifference: { value: stretch.end.value.minus(endValue), reason: null },
    timeWeighted: { value: rate, reason: null },
    rateDifference: { value: own.value.rate.toNumber() - rate, reason: null },
    exhaustedAt: run.exhaustedAt,
  };
}

/** What is bought is a quotient, so that its worth has no end of digits. */
const MONEY_DIGITS = 18;

/** The portfolio from a moment on, at which what it is worth after that moment's flows is the start. */
function cutBefore(view: CashView | undefined, start: Date): CashView | undefined {
  if (view === undefined) return undefined;
  const flowsThen = view.flows.filter(({ at }) => at.getTime() === start.getTime());
  const valuations = view.valuations
    .filter(({ at }) => at >= start)
    .map(({ at, value }) =>
      at > start ? { at, value } : { at, value: flowsThen.reduce((sum, { amount }) => sum.plus(amount), value) },
    );
  return { valuations, flows: view.flows.filter(({ at }) => at > start), end: view.end };
}

/** What each part costs in the currency at each point, as far as it is known. */
async function readPartPrices(
  { history, performance }: Deps,
  basket: Basket,
  points: readonly SeriesPoint[],
): Promise<readonly BasketPrices[]> {
  const moments = points.map(({ moment }) => moment.at);
  const assetIds = basket.flatMap(({ assetId }) => assetId ?? []);
  const [quotes, rates] = await Promise.all([
    assetIds.length === 0 ? [] : performance.readPrices(assetIds, moments),
    Promise.all(basket.map(({ code }) => (code === null || code === 'USD' ? null : history.readRates(code, moments)))),
  ]);
  const quoteAt = new Map(quotes.map(({ place, assetId, price }) => [`${place}/${assetId}`, price]));
  return points.map(({ moment, rate }, place) => ({
    at: moment.at,
    prices: new Map(
      basket.flatMap(({ name, code, assetId }, index) => {
        if (code === 'USD') return [[name, rate] as const];
        const price =
          code === null ? quoteAt.get(`${place}/${assetId}`)?.times(rate) : rates[index]?.get(place)?.pow(-1).times(rate);
        return price === undefined ? [] : [[name, price] as const];
      }),
    ),
  }));
}
